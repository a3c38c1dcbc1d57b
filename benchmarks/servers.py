"""Servers to compare: the whole product, and two floors that answer the same bytes.

    python benchmarks/servers.py product|cached|console|static|bare PORT DATA_DIR DATABASE_URL

product  the service's own application on the given store, every answer made anew
cached   the same with its answer cache, as it is served
console  the same with its pages
static   the same application, route, authentication and request id; the handler answers ready bytes
bare     an ASGI callable that answers ready bytes to anything
"""

import asyncio
import os
import sys
from pathlib import Path

import uvloop

from nbfleet.api import handlers
from nbfleet.api.answers import Answers, Questions
from nbfleet.api.auth import Authenticator
from nbfleet.api.call import Answer, Call, Tools
from nbfleet.api.present import Presenter
from nbfleet.api.site import document_for, site
from nbfleet.console.app import whole_site
from nbfleet.face import Face, listen
from nbfleet.server import milliseconds, open_ground
from nbfleet.services.context import Context
from nbfleet.settings import load
from nbfleet.store.directory import Directory
from nbfleet.telemetry import Metrics, configure_logs


async def _no_log(_notebook_id: str, _generation: int, _lines: int) -> str:
    return ""


async def _no_usage(_notebook_id: str, _generation: int) -> None:
    return None


def main(kind: str, port: int, data_dir: str, database_url: str) -> None:
    settings = load({"data_dir": data_dir, "database_url": database_url, "port": port}, os.environ)
    configure_logs("info", "json")
    ground = open_ground(settings)
    context = Context(ground.database, Directory(), ground.keyring, settings, milliseconds, lambda: None)
    answers = Answers(ground.database.version if kind in ("cached", "console") else lambda: None)
    presenter = Presenter(ground.keyring, "http://127.0.0.1:1", False)
    tools = Tools(context, presenter, answers, Questions(), _no_log, _no_usage)
    ready = Path(data_dir, "page.json")
    page = ready.read_bytes() if ready.exists() else b"{}"

    async def static(_tools: Tools, _call: Call) -> Answer:
        return Answer(page)

    async def bare(_scope, _receive, send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(page)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": page})

    if kind == "static":
        handlers.HANDLERS["ListAllNotebooks"] = static
    if kind == "console":
        product, live = whole_site(tools, Authenticator(context), Metrics(), f"http://127.0.0.1:{port}")
    else:
        product, live = site(tools, Authenticator(context), Metrics(), document_for("http://127.0.0.1")), None

    async def run() -> None:
        looking = None if live is None else asyncio.create_task(live.run())
        await Face(bare if kind == "bare" else product, listen("127.0.0.1", port), settings).run()
        if looking is not None:
            looking.cancel()

    uvloop.run(run())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
