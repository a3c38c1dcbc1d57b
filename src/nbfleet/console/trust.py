"""What a browser must show before anything is changed in its user's name.

A session alone is no wish: foreign pages can make a browser send it. A change needs an origin that is ours
and a word that only our pages hold. Both are asked for, for either can fail in some browser or set-up.
"""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

CSRF_FIELD = "csrf"
CSRF_HEADER = "x-csrf-token"
_OWN_MODES = frozenset({"cors", "same-origin", "navigate"})


def csrf_word(session: str) -> str:
    """The word of a session; it tells nothing about the session itself."""
    return hashlib.sha256(b"nbfleet csrf " + session.encode()).hexdigest()


def has_word(session: str, given: str) -> bool:
    return hmac.compare_digest(csrf_word(session).encode(), given.encode("utf-8", "replace"))


def is_own_origin(headers: Mapping[str, str], address: str) -> bool:
    """Whether a request comes from a page of ours. `address` is where browsers reach the service; a name
    under which they reach it besides is believed of them, for cookies are bound to it."""
    site, mode = headers.get("sec-fetch-site"), headers.get("sec-fetch-mode")
    if site not in (None, "same-origin") or (mode is not None and mode not in _OWN_MODES):
        return False
    origin = headers.get("origin")
    if origin is None:
        return site == "same-origin"
    public = urlsplit(address)
    own = {f"{public.scheme}://{public.netloc}", f"{public.scheme}://{headers.get('host', '')}"}
    return origin in own
