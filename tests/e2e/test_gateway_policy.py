"""Who gets into a running instance through the gateway of a real service: one table, for each way to ask.

The runtime is simulated, so that nothing answers behind the gateway: whoever is let in is told that (503).
Whoever is not is told that credentials are missing (401), in the same words whether or not it exists.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from nbfleet.domain.access import Role
from nbfleet.store import identity
from support.people import Person, Place, opened

LET_IN, SHUT_OUT = 503, 401
WAYS = ("GET", "HEAD", "OPTIONS", "POST", "websocket")


@pytest.fixture(scope="module")
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with opened(request, Path(tmp_path_factory.mktemp("gateway")), "sqlite") as made:
        yield made


def credentials(place: Place) -> dict[str, dict[str, str]]:
    """Headers by whose and what they are; `notebook` is the one that is asked for."""
    project = place.new_project()
    owner, fellow = place.new_person(project), place.new_person(project)
    chief = place.new_person(project, Role.ADMINISTRATOR)
    notebook, second, of_fellow = owner.running(), owner.running(), fellow.running()
    restarted, left = owner.running(), place.new_person(project)
    own_of_left = left.running()
    again(owner, restarted["id"])
    place.database.write_now(identity.enable_user, left.user.no, False)
    ask = {"id": notebook["id"]}
    return {
        "its token": ask | token(notebook),
        "nothing": ask,
        "a wrong token": ask | {"Authorization": f"token {uuid4()}"},
        "the token of another one of the owner": ask | token(second),
        "the token of one of somebody else": ask | token(of_fellow),
        "the owner's token for the API": ask | {"X-Auth-Token": owner.new_token()},
        "the owner's token for the API, shown as its own": ask
        | {"Authorization": f"token {owner.new_token()}"},
        "an administrator's token for the API": ask | {"X-Auth-Token": chief.new_token()},
        "the token of an earlier start": {"id": restarted["id"]} | token(restarted),
        "its token, the owner being disabled": {"id": own_of_left["id"]} | token(own_of_left),
        "a token for one that is not there": {"id": str(uuid4())} | token(notebook),
    }


EXPECTED = {
    "its token": LET_IN,
    "nothing": SHUT_OUT,
    "a wrong token": SHUT_OUT,
    "the token of another one of the owner": SHUT_OUT,
    "the token of one of somebody else": SHUT_OUT,
    "the owner's token for the API": SHUT_OUT,
    "the owner's token for the API, shown as its own": SHUT_OUT,
    "an administrator's token for the API": SHUT_OUT,
    "the token of an earlier start": SHUT_OUT,
    "its token, the owner being disabled": SHUT_OUT,
    "a token for one that is not there": SHUT_OUT,
}


def token(notebook: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"token {notebook['token']}"}


def again(owner: Person, notebook_id: str) -> None:
    for action, status in (("stop", "STOPPED"), ("start", "RUNNING")):
        assert owner.key("POST", f"notebooks/{notebook_id}/{action}").status == 200
        owner.wait(notebook_id, status)


def test_each_way_for_everybody(place: Place) -> None:
    asked = credentials(place)
    got = {
        (who, way): asyncio.run(ask(place.service.gateway, way, dict(headers)))
        for who, headers in asked.items()
        for way in WAYS
    }
    assert {key: status for key, (status, _) in got.items()} == {
        (who, way): status for who, status in EXPECTED.items() for way in WAYS
    }
    # Nothing tells one reason from another.
    refusals = {body for (_, way), (status, body) in got.items() if status == SHUT_OUT and way == "GET"}
    assert len(refusals) == 1


async def ask(gateway: str, way: str, headers: dict[str, str]) -> tuple[int, bytes]:
    url = f"{gateway}/{headers.pop('id')}/api/kernels"
    async with aiohttp.ClientSession() as session:
        if way != "websocket":
            async with session.request(way, url, headers=headers) as answer:
                return answer.status, await answer.read()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(url, headers=headers)
        return refused.value.status, b""
