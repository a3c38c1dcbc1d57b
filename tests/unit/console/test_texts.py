"""Every text of the console is there in every language, and none is kept that is gone."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.pofile import read_po

from nbfleet.console import texts

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("texts_script", ROOT / "scripts" / "texts.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_every_text_is_translated(script: ModuleType) -> None:
    file, catalog, missing = script.updated("zh")
    assert missing == []
    with file.open("rb") as opened:
        kept = {one.id for one in read_po(opened, locale="zh_Hans_CN") if one.id}
    assert kept == {one.id for one in catalog if one.id}


def test_placeholders_are_the_same_in_every_language(script: ModuleType) -> None:
    _, catalog, _ = script.updated("zh")
    assert [error for _, errors in catalog.check() for error in errors] == []


def test_markup_in_templates_holds_no_words_of_its_own() -> None:
    """A text that is not marked for translation would never be missed: words may stand only in marked
    places."""
    found = [(file.name, word) for file in TEMPLATES for word in bare_words(file.read_text(encoding="utf-8"))]
    assert found == []


TEMPLATES = [
    file
    for file in sorted((ROOT / "src/nbfleet/console/templates").rglob("*.html"))
    if file.name != "docs.html"  # The operations are described in the language of the contract.
]
ALLOWED = {"nbfleet", "Aa", "×", "·"}


def bare_words(text: str) -> list[str]:
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", text, flags=re.DOTALL)
    text = re.sub(r"<pre.*?</pre>|<code.*?</code>", " ", text, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", " ", text, flags=re.DOTALL)
    return [
        word for word in text.split() if re.search(r"\w", word) and word not in ALLOWED and word[0] != "&"
    ]


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "de, ZH;q=0.5", "zh"),
        (None, "de", "en"),
        ("zh", "en", "zh"),
        ("xx", "zh", "zh"),
    ],
)
def test_the_language_is_the_chosen_one_or_the_first_that_is_there(
    wanted: str | None, accepted: str, language: str
) -> None:
    assert texts.chosen(wanted, accepted) == language
