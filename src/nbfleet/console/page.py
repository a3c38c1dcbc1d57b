"""What a page of a project is: its path, its name, and who answers it."""

from dataclasses import dataclass
from typing import Literal

from nbfleet.console.live import Live
from nbfleet.console.render import Renderer
from nbfleet.console.visit import Handler

BUSY = (429, 503)  # Statuses of refusals that pass by themselves.


@dataclass(frozen=True, slots=True)
class Page:
    """`path` is what follows the project in the address, in the router's form, without a slash at its start.
    `name` stands in logs and counts and is one of few. GET only shows; whatever changes something is POST."""

    name: str
    path: str
    handler: Handler
    method: Literal["GET", "POST"] = "GET"


@dataclass(frozen=True, slots=True)
class Parts:
    """What pages are made with. `address` is where clients reach the API, `gateway` where they open
    notebooks."""

    renderer: Renderer
    live: Live
    address: str
    gateway: str
