"""Error answers: nothing of the caller's in them, one shape for programs."""

import json

import pytest

from nbfleet.gateway import pages


@pytest.mark.parametrize("word", ["STOPPED", "START_FAILED"])
def test_the_status_word_is_shown(word):
    _, body = pages.render(pages.not_running(word), html=True)
    assert f"status: {word}" in body.decode()


@pytest.mark.parametrize("word", ["", "<script>", "a b", "A" * 33, "ä"])
def test_a_word_that_is_none_is_not_shown(word):
    assert "status: UNKNOWN" in pages.not_running(word).sentence


def test_programs_get_the_envelope():
    headers, body = pages.render(pages.UNAUTHORIZED, html=False)
    assert dict(headers)[b"content-type"] == b"application/json"
    assert sorted(json.loads(body)) == ["error_code", "error_msg"]


def test_a_page_loads_nothing():
    headers, body = pages.render(pages.NO_ANSWER, html=True)
    assert dict(headers)[b"content-security-policy"] == b"default-src 'none'; style-src 'unsafe-inline'"
    assert b"src=" not in body
    assert b"href=" not in body
