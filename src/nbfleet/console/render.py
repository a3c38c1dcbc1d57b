"""From a template and values to an answer that a browser may trust.

Everything is escaped, nothing is inline, and no other site may show, script or read a page.
"""

from pathlib import Path
from typing import Any

import jinja2
from starlette.responses import HTMLResponse

from nbfleet.console import sections, shown, texts
from nbfleet.console.assets import Assets
from nbfleet.console.visit import THEMES, Look, Visit

_HERE = Path(__file__).parent
STATIC = "/console/static/"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Renderer:
    """Templates get `look`, `visit` (None where nobody is signed in), the filters and functions of `shown`,
    and what a page gives."""

    def __init__(self) -> None:
        self.assets = Assets(_HERE / "static", STATIC)
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        )
        self._templates.install_gettext_callables(texts._, texts.ngettext, newstyle=True)  # pyright: ignore
        known: dict[str, Any] = {
            **shown.FUNCTIONS,
            "asset": self.assets.address,
            "languages": texts.LANGUAGES,
            "themes": THEMES,
            "first_section": sections.first_open,
        }
        self._templates.filters.update(shown.FILTERS)
        self._templates.globals.update(known)

    def page(
        self, template: str, look: Look, visit: Visit | None, status: int = 200, /, **values: Any
    ) -> HTMLResponse:
        """A whole page; only its middle where a shown page asks for a part of itself."""
        layout = "part.html" if visit is not None and visit.is_part else "base.html"
        text = self.text(template, look=look, visit=visit, layout=layout, **values)
        return HTMLResponse(text, status, HEADERS)

    def text(self, template: str, /, **values: Any) -> str:
        return self._templates.get_template(template).render(values)
