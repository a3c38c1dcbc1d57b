"""The filters of the fleet lists as options, the same for every command that looks at many notebooks."""

import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

from nbfleet.cli.completion import STATES

F = TypeVar("F", bound=Callable[..., Any])

_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000}
_AGO = re.compile(r"(\d+)([dhms])")
_MILLISECONDS = 1000


class Moment(click.ParamType[int]):
    """A point in time, as milliseconds since 1970: how long ago, a date, or a date with a time."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        ago = _AGO.fullmatch(value)
        try:
            if ago is not None:
                return max(0, time.time_ns() // 1_000_000 - int(ago[1]) * _UNITS[ago[2]])
            if value.isdigit():
                return int(value)
            return round(datetime.fromisoformat(value).timestamp() * _MILLISECONDS)
        except (ValueError, OverflowError):
            self.fail(
                f"{value} is no time: give 3d, 12h, 30m, 2026-11-25, 2026-11-25T08:00 or milliseconds "
                "since 1970.",
                param,
                ctx,
            )


class Tag(click.ParamType[str]):
    """key=value or a key, in the words of the API."""

    name = "tag"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value:
            self.fail("An empty tag is on no notebook: give key=value, or a key alone.", param, ctx)
        return value.replace("=", "|", 1)


_MOMENT = Moment()
_OPTIONS = (
    click.option("--name", help="Part of the name."),
    click.option("--status", type=STATES, help="One status or several, for example RUNNING,STARTING."),
    click.option("--owner", help="Owner id."),
    click.option("--username", help="Part of the owner's name."),
    click.option("--flavor", help="Part of the flavor."),
    click.option("--description", help="Part of the description."),
    click.option("--pool", "pool_id", help="Pool id."),
    click.option("--pool-name", help="Part of the pool's name."),
    click.option("--image", "image_id", help="Image id."),
    click.option("--image-path", "swr_path", help="Part of the image's reference."),
    click.option(
        "--tag", "tags", multiple=True, type=Tag(), help="key=value, or a key alone; all given must match."
    ),
    click.option("--billing", help="What is charged: COMPUTE, STORAGE or ALL."),
    click.option("--ip", help="Address of the node."),
    click.option("--id", "id", help="Notebook id."),
    click.option("--created-since", type=_MOMENT, help="For example 3d, 2026-11-25 or 2026-11-25T08:00."),
    click.option("--created-until", type=_MOMENT),
    click.option("--updated-since", type=_MOMENT),
    click.option("--updated-until", type=_MOMENT),
    click.option("--workspace", "workspace_id", default="*", help="Workspace id. [any]"),
    click.option("--feature", default="*", help="Kind of notebook. [any]"),
)
_NAMES = (
    "name", "status", "owner", "username", "flavor", "description", "pool_id", "pool_name", "image_id",
    "swr_path", "tags", "billing", "ip", "id", "created_since", "created_until", "updated_since",
    "updated_until", "workspace_id", "feature",
)  # fmt: skip


def with_filters(command: F) -> F:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def narrows(query: dict[str, Any]) -> bool:
    """Whether any filter was given."""
    return any(value not in (None, "", "*") for value in query.values())


def query_of(options: dict[str, Any]) -> dict[str, Any]:
    """Takes the filters out of the options of a command, as parameters of the API."""
    query = {name: options.pop(name) for name in _NAMES}
    for name in ("status", "billing", "feature"):
        if query[name]:
            query[name] = query[name].upper()
    query["tags"] = ",".join(query["tags"]) or None
    return query
