"""Brings the translations up to date with the texts of the console, and names those that lack one.

    .venv/bin/python scripts/texts.py [--check]

New texts are added without a translation, those that are gone are removed. With --check nothing is written,
and the exit status tells whether anything is missing or left over.
"""

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent / "src" / "nbfleet" / "console"
STATES = ROOT.parent / "domain" / "states.py"  # Words that the command line shows too.
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "ngettext": (1, 2), "later": None}
OPTIONS = {"templates/**.html": {"trimmed": "false", "newstyle_gettext": "true", "silent": "false"}}


def texts() -> Catalog:
    """Every text of templates and modules, without the places where they stand: those change too often."""
    found = Catalog(locale="zh_Hans_CN", header_comment="", fuzzy=False)
    for _file, _line, message, _comments, _context in extract_from_dir(ROOT, METHODS, OPTIONS, KEYWORDS):
        found.add(message, flags=())
    for _line, message, _comments, _context in extract_from_file("python", STATES, KEYWORDS):
        found.add(message, flags=())
    return found


def updated(language: str) -> tuple[Path, Catalog, list[str]]:
    """The file, what it should hold, and the texts that lack a translation."""
    file = ROOT / "locales" / language / "LC_MESSAGES" / "console.po"
    with file.open("rb") as opened:
        catalog = read_po(opened, locale="zh_Hans_CN")
    known = {message.id: message.string for message in catalog if message.id}
    fresh = texts()
    for message in fresh:
        if message.id:
            message.string = known.get(message.id, message.string)
            message.flags.clear()
    return file, fresh, [str(one.id) for one in fresh if one.id and not is_translated(one.string)]


def is_translated(text: str | tuple[str, ...]) -> bool:
    return all(text) if isinstance(text, tuple) else bool(text)


def main() -> None:
    file, catalog, missing = updated("zh")
    if "--check" in sys.argv[1:]:
        with file.open("rb") as opened:
            left_over = {str(one.id) for one in read_po(opened) if one.id} - {str(one.id) for one in catalog}
        sys.exit(f"Missing: {missing}. Left over: {sorted(left_over)}." if missing or left_over else None)
    with file.open("wb") as opened:
        write_po(opened, catalog, sort_output=True, omit_header=True, width=110)
    print("\n".join(missing) or "Everything is translated.")


if __name__ == "__main__":
    main()
