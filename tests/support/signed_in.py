"""Somebody who is signed in to the console, without a browser: requests as a browser would send them, or
not."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from nbfleet.console.trust import csrf_word
from nbfleet.services import identity
from support.client import Answer, Caller, exchange
from support.hosted import Hosted

COOKIE = "nbfleet-session"
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class SignedIn:
    hosted: Hosted
    caller: Caller
    session: str

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.hosted.port}"

    @property
    def base(self) -> str:
        return f"/console/{self.caller.project_id}"

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, None, headers)

    def post(
        self, path: str, fields: Mapping[str, str | Sequence[str]] | None = None, **headers: str
    ) -> Answer:
        """As a page of the console does."""
        form = {"csrf": csrf_word(self.session), **(fields or {})}
        return self.send(
            "POST", path, urlencode(form, doseq=True).encode(), {"Origin": self.origin, **headers}
        )

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        all_headers = [
            ("Host", self.origin.removeprefix("http://")),
            ("Cookie", f"{COOKIE}={self.session}"),
            *([("Content-Type", _FORM)] if body is not None else []),
            *((name.replace("_", "-"), value) for name, value in headers.items()),
        ]
        return exchange(self.hosted.port, method, path, all_headers, body)


def sign_in(hosted: Hosted, caller: Caller) -> SignedIn:
    """By a link, as the first start prints one."""
    ticket = hosted.database.write_now(identity.new_login_link, hosted.context, caller.name)
    body = urlencode({"ticket": ticket}).encode()
    headers: list[tuple[str, str | bytes]] = [("Host", "x"), ("Content-Type", _FORM)]
    answer = exchange(hosted.port, "POST", "/login", headers, body)
    found = re.match(rf"{COOKIE}=([^;]+);", answer.headers["set-cookie"])
    assert found is not None
    return SignedIn(hosted, caller, found[1])
