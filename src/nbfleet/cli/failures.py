"""From an exception to one sentence, a hint and an exit code. Classes are looked at by name, so that telling
a failure needs no import of what can fail."""

from dataclasses import dataclass
from typing import Any

FAILED, UNREACHABLE, UNAUTHORISED, NOT_FOUND = 1, 3, 4, 5


class Failed(Exception):
    """A command did what it could, and it was not enough."""

    def __init__(self, sentence: str, hint: str = "", code: int = FAILED) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint
        self.code = code


@dataclass(frozen=True, slots=True)
class Explained:
    sentence: str
    hint: str
    code: int


_HINTS = {
    400: "",
    401: "Check the credentials file; `nbfleet key list` says which keys the service knows.",
    403: "Ask an administrator of the project.",
    404: "`nbfleet list` shows what there is.",
    501: "`nbfleet --version` says which release this is; the docs list what it can do.",
    503: "Try again in a moment.",
}
_CODES = {401: UNAUTHORISED, 403: UNAUTHORISED, 404: NOT_FOUND}


def explain(fault: Exception) -> Explained | None:
    """None for what nobody expected."""
    known: Any = fault
    match type(fault).__name__:
        case "Failed":
            return Explained(known.sentence, known.hint, known.code)
        case "ClientError":
            code = _CODES.get(known.status, FAILED)
            sentence = f"{known.message} ({known.code}, request {known.request_id})"
            return Explained(sentence, _HINTS.get(known.status, ""), code)
        case "BrokenOff":
            return Explained(f"{fault}.", "Ask again: what came is not the whole answer.", UNREACHABLE)
        case "Unreachable":
            return Explained(f"{fault}.", "Is it running? `nbfleet serve` starts it.", UNREACHABLE)
        case "CannotStart" | "BadSettings" | "Refused" | "UnreadableKey" | "UnknownSchema" | "Unavailable":
            return Explained(str(fault), "`nbfleet doctor` looks at this machine.", FAILED)
        case _:
            return None
