"""Keeps open pages up to date: one look at the record of changes a second, however many pages are open.

A page says which notebooks it shows and is woken when one of them changed. What several pages need after the
same look is made once. Without an open page nothing is looked at.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from nbfleet.api.call import Tools
from nbfleet.services.changes import Trail
from nbfleet.wire import errors

T = TypeVar("T")
log = structlog.get_logger()

TICK = 1.0  # Seconds between two looks.
MOST, MOST_OF_ONE = 1000, 50  # Pages at a time: of all users, and of one.
_RETRY_AFTER = 10


@dataclass(slots=True, eq=False)
class Watch:
    """What one open page of a user waits for: changes of `ids`, or of any notebook of the project where it is
    None. `anything` is set once any notebook of the project changed."""

    user_id: str
    project_id: str
    ids: frozenset[str] | None
    changed: set[str] = field(default_factory=set[str])
    anything: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, ids: set[str]) -> None:
        self.anything = True
        mine = ids if self.ids is None else ids & self.ids
        if mine:
            self.changed |= mine
            self.woken.set()

    def taken(self) -> set[str]:
        """What changed since it was asked last."""
        changed, self.changed = self.changed, set[str]()
        self.woken.clear()
        return changed


class Live:
    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._trail: Trail | None = None
        self._watches: set[Watch] = set()
        self._wanted = asyncio.Event()
        self._made: dict[Hashable, asyncio.Future[Any]] = {}
        self.is_closed = False

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if not self._watches:
                await self._wanted.wait()
                self._trail = None
            try:
                await (self._begin() if self._trail is None else self._look(self._trail))
            except Exception as fault:
                log.warning("round failed", loop="live pages", cause=f"{type(fault).__name__}: {fault}")
            await asyncio.sleep(TICK)

    async def _begin(self) -> None:
        """From now on changes are followed. What happened while nobody looked is in no record that is read:
        every page is told of all that it shows."""
        trail = Trail(self._tools.context)
        await trail.step()
        self._trail = trail
        self._made.clear()
        for watch in self._watches:
            watch.tell(set(watch.ids or ()))

    async def _look(self, trail: Trail) -> None:
        found = await trail.step()
        self._made.clear()
        by_project: dict[str, set[str]] = {}
        for change in found:
            by_project.setdefault(change.project_id, set()).add(change.notebook_id)
        for watch in self._watches:
            if ids := by_project.get(watch.project_id):
                watch.tell(ids)

    def open(self, user_id: str, project_id: str, ids: frozenset[str] | None) -> Watch:
        """One more open page, to be given to `shut` in the end; refused where there are too many, of one user
        or of all."""
        mine = sum(watch.user_id == user_id for watch in self._watches)
        if mine >= MOST_OF_ONE:
            raise errors.too_many_at_once("open pages", MOST_OF_ONE, _RETRY_AFTER)
        if len(self._watches) >= MOST:
            raise errors.overloaded(_RETRY_AFTER)
        # What changed since the page was made and before it watched: each is told once at first.
        watch = Watch(user_id, project_id, ids, set(ids or ()))
        watch.woken.set()
        self._watches.add(watch)
        self._wanted.set()
        return watch

    def shut(self, watch: Watch) -> None:
        self._watches.discard(watch)
        if not self._watches:
            self._wanted.clear()
            # From now on nobody hears of changes, so nothing that was made stays true.
            self._made.clear()

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """What `make` answers, made once for all who ask for `key` until the next look."""
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = asyncio.ensure_future(make())
        # Whoever goes away must not take it from the others.
        return await asyncio.shield(made)

    def close(self) -> None:
        """Ends all open pages, so that the service can end."""
        self.is_closed = True
        for watch in self._watches:
            watch.woken.set()
