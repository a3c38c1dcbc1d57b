"""Refusals: status and code are what clients act on; what is quoted does no harm."""

import json

import msgspec
import pytest

from nbfleet.wire import errors, errors_credentials
from nbfleet.wire.errors import ApiError, ErrorCode

PAIRS = {
    "not_found": (errors.not_found("instance", "x"), 404, "ModelArts.6404"),
    "workspace_not_found": (errors.workspace_not_found("x"), 400, "ModelArts.7005"),
    "image_not_found": (errors.image_not_found("x"), 400, "ModelArts.6797"),
    "forbidden": (errors.forbidden("modelarts:notebook:list"), 403, "ModelArts.0108"),
    "foreign_project": (errors.foreign_project("x"), 403, "ModelArts.0210"),
    "invalid_project_id": (errors.invalid_project_id("x"), 400, "ModelArts.0210"),
    "not_available": (errors.not_available("x"), 501, "ModelArts.6361"),
    "invalid_query": (errors.invalid_query("limit", 0, "1 to 1000"), 400, "ModelArts.0107"),
    "unknown_sort_key": (errors.unknown_sort_key("x", ["name"]), 400, "ModelArts.6303"),
    "missing": (errors.missing("name"), 400, "ModelArts.6335"),
    "wrong_type": (errors.wrong_type("name", 1, "text"), 400, "ModelArts.6332"),
    "wrong_value": (errors.wrong_value("feature", "x", ["NOTEBOOK"]), 400, "ModelArts.6336"),
    "bad_characters": (errors.bad_characters("name", "<", "letters"), 400, "ModelArts.6334"),
    "bad_duration": (errors.bad_duration("duration", 1, "-1"), 400, "ModelArts.6349"),
    "invalid_body": (errors.invalid_body("truncated"), 400, "ModelArts.6400"),
    "body_too_large": (errors.body_too_large(1), 413, "ModelArts.6400"),
    "flavor_not_supported": (errors.flavor_not_supported("x"), 400, "ModelArts.6323"),
    "conflicting_state": (errors.conflicting_state("x", "STARTING", "stop"), 400, "ModelArts.6357"),
    "not_running": (errors.not_running("x", "STOPPED"), 400, "ModelArts.6327"),
    "update_not_allowed": (errors.update_not_allowed("flavor", "RUNNING", "STOPPED"), 400, "ModelArts.6347"),
    "frozen": (errors.frozen("x"), 400, "ModelArts.6326"),
    "overloaded": (errors.overloaded(3), 503, "ModelArts.6101"),
    "internal": (errors.internal(), 500, "ModelArts.0010"),
    "unauthorized_signature": (errors_credentials.unauthorized_signature("x"), 401, "APIGW.0301"),
    "token_missing": (errors_credentials.token_missing(), 401, "ModelArts.0201"),
    "token_expired": (errors_credentials.token_expired(), 401, "ModelArts.0202"),
    "token_invalid": (errors_credentials.token_invalid(), 401, "ModelArts.0203"),
    "token_unreadable": (errors_credentials.token_unreadable(), 401, "ModelArts.0204"),
}


@pytest.mark.parametrize(("error", "status", "code"), PAIRS.values(), ids=PAIRS)
def test_status_and_code(error: ApiError, status: int, code: str) -> None:
    assert (error.status, error.code) == (status, code)
    assert error.message.endswith(".")


def test_body_is_the_published_envelope() -> None:
    encoded = json.loads(msgspec.json.encode(errors.not_found("instance", "x").body()))
    assert encoded == {"error_code": "ModelArts.6404", "error_msg": "The instance x does not exist."}


def test_body_can_carry_the_request_id() -> None:
    assert errors.internal().body("r-1").request_id == "r-1"


@pytest.mark.parametrize(
    "error", [errors.overloaded(7), errors.too_many_at_once("lists", 4, 7), errors.too_often(4, 7)]
)
def test_busy_service_says_when_to_come_back(error: ApiError) -> None:
    assert error.headers == {"Retry-After": "7"}


def test_other_refusals_add_no_headers() -> None:
    assert dict(errors.missing("name").headers) == {}


def test_long_input_is_quoted_in_part() -> None:
    assert errors.shown("a" * 129) == "a" * 128 + "…"
    assert errors.shown("a" * 128) == "a" * 128


@pytest.mark.parametrize(
    ("given", "quoted"),
    [
        ("a\nb", r"a\nb"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\u202egnp", r"\u202egnp"),
        ("实验", "实验"),
        (None, "None"),
        (3, "3"),
    ],
)
def test_control_characters_are_escaped(given: object, quoted: str) -> None:
    assert errors.shown(given) == quoted


def test_refusal_names_field_value_and_choice() -> None:
    error = errors.wrong_value("feature", "x\r\n", ["DEFAULT", "NOTEBOOK"])
    assert error.message == r"The field feature is x\r\n; allowed: DEFAULT, NOTEBOOK."


def test_codes_are_unique() -> None:
    assert len(ErrorCode.__members__) == len(list(ErrorCode))
