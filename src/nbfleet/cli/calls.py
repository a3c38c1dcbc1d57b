"""Running one call against the service, and finding a notebook by what a person calls it."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import UNSET

from nbfleet.cli.failures import FAILED, NOT_FOUND, Failed
from nbfleet.cli.options import credentials

_ID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_SHOWN = 5


def call(options: dict[str, Any], run: Callable[[Any], Awaitable[None]]) -> None:
    """run(client), with a client made of the options of `with_credentials`."""
    from nbfleet.client import Client  # noqa: PLC0415 - HTTP is a lot to import.

    known = credentials(options["credentials"], options["data_dir"], options["endpoint"])

    async def inside() -> None:
        async with Client(known, ca_file=options["ca_file"]) as client:
            await run(client)

    asyncio.run(inside())


async def find(client: Any, notebook: str) -> str:
    """The id of the notebook that has this id, or this name and no other one has it."""
    from nbfleet.client import ClientError  # noqa: PLC0415

    if _ID.fullmatch(notebook):
        return notebook
    query = {"name": notebook, "limit": 100, "workspace_id": "*", "feature": "*"}
    try:
        page = await client.list_notebooks(everybody=True, **query)
    except ClientError as refusal:
        if refusal.status != 403:
            raise
        page = await client.list_notebooks(**query)
    exact = [one for one in page.data if one.name == notebook]
    if len(exact) == 1:
        return exact[0].id
    if not exact:
        raise Failed(f"There is no notebook called {notebook}.", "`nbfleet list` shows them.", NOT_FOUND)
    some = ", ".join(one.id for one in exact[:_SHOWN])
    raise Failed(f"{len(exact)} notebooks are called {notebook}.", f"Name one by its id: {some}.", FAILED)


def not_hidden(value: Any) -> Any:
    """A field that our own service always sends."""
    if value is UNSET:
        raise Failed("The answer is not one of this service.")
    return value
