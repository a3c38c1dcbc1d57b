"""Cross-site requests: does this come from a page of our own origin?

The instance skips its own check for requests with a token, and the gateway adds one to every request,
so this is the only guard. It judges headers that browsers set and pages cannot. Exact equality only.
"""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORT = {"http": ":80", "https": ":443"}


def own_origin(scheme: str, host: str) -> str:
    """The origin in the form in which browsers write it."""
    return f"{scheme}://{host.lower().removesuffix(_DEFAULT_PORT[scheme])}"


def allowed(
    *,
    changes_state: bool,
    is_websocket: bool,
    has_token: bool,
    has_cookie: bool,
    origins: list[str],
    fetch_site: str | None,
    trusted: frozenset[str],
) -> bool:
    """Whether a request may use the caller's credentials. `origins` are all Origin headers sent.

    A header that a script sets is no proof against a browser that also sends our cookie, so a foreign
    Origin next to a cookie is refused whatever else is there.
    """
    if not changes_state and not is_websocket:
        return True
    if not has_cookie or (has_token and not origins):
        return True
    if len(origins) != 1 or origins[0] not in trusted:
        return False
    # Allow-list. Browsers disagree on this header for WebSockets; there Origin alone decides.
    return is_websocket or fetch_site in (None, "same-origin")
