"""Published payloads through the types and back."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nbfleet.wire.errors import ErrorResponse
from nbfleet.wire.notebooks import NotebookCreateRequest
from nbfleet.wire.operations import by_id

DATA = Path(__file__).parents[2] / "data"
EXAMPLES: dict[str, Any] = json.loads((DATA / "examples.json").read_text("utf-8"))
CASES = [
    pytest.param(operation_id, side, value, id=f"{operation_id}-{side}-{name}")
    for operation_id, sides in EXAMPLES["operations"].items()
    for side, values in sides.items()
    for name, value in values.items()
]
REQUEST = EXAMPLES["operations"]["CreateNotebook"]["body"]["block_disk"]


def decode_new(changes: dict[str, Any]) -> NotebookCreateRequest:
    return msgspec.json.decode(json.dumps({**REQUEST, **changes}), type=NotebookCreateRequest)


@pytest.mark.parametrize(("operation_id", "side", "value"), CASES)
def test_example_survives_decoding_and_encoding(operation_id: str, side: str, value: Any) -> None:
    operation = by_id(operation_id)
    kind = operation.body if side == "body" else operation.answer
    record = msgspec.json.decode(json.dumps(value), type=kind)
    assert json.loads(msgspec.json.encode(record)) == value


@pytest.mark.parametrize("value", EXAMPLES["errors"].values(), ids=EXAMPLES["errors"])
def test_error_example_survives_decoding_and_encoding(value: Any) -> None:
    record = msgspec.json.decode(json.dumps(value), type=ErrorResponse)
    assert json.loads(msgspec.json.encode(record)) == value


def test_there_are_as_many_examples_as_published() -> None:
    assert len(CASES) == 49


def test_fields_nobody_documents_are_ignored() -> None:
    assert decode_new({"surprise": 1}) == decode_new({})


@pytest.mark.parametrize("name", ["a" * 129, "", "a b", "a\n", "a/b", "ünder"])
def test_name_outside_the_published_form_is_refused(name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\.name"):
        decode_new({"name": name})


@pytest.mark.parametrize("name", ["a", "A_b-9", "实验", "a" * 128])
def test_name_of_the_published_form_is_kept(name: str) -> None:
    assert decode_new({"name": name}).name == name


@pytest.mark.parametrize("image_id", ["11111111-2222-4333-8444-ABCDEFabcdef", *[REQUEST["image_id"]]])
def test_uuid_in_either_case_is_kept_as_given(image_id: str) -> None:
    assert decode_new({"image_id": image_id}).image_id == image_id


@pytest.mark.parametrize("image_id", ["1", "11111111222243338444555555555555", f"{REQUEST['image_id']}\n"])
def test_what_is_no_uuid_is_refused(image_id: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\.image_id"):
        decode_new({"image_id": image_id})


@pytest.mark.parametrize("duration", [-1, 1, 600_000, 3_600_000, 10**12])
def test_range_of_a_lease_is_left_to_the_service(duration: int) -> None:
    assert decode_new({"duration": duration}).duration == duration


@pytest.mark.parametrize("field", ["name", "image_id", "volume"])
def test_mandatory_field_cannot_be_left_out(field: str) -> None:
    rest = {key: value for key, value in REQUEST.items() if key != field}
    with pytest.raises(msgspec.ValidationError, match=f"missing required field `{field}`"):
        msgspec.json.decode(json.dumps(rest), type=NotebookCreateRequest)


def test_null_is_refused_where_the_contract_has_none() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\.flavor"):
        decode_new({"flavor": None})


def test_capacity_is_bounded() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"<= 4096 - at `\$\.volume\.capacity`"):
        decode_new({"volume": {"category": "EVS", "ownership": "MANAGED", "capacity": 4097}})


def test_requests_may_write_enumerations_in_lower_case() -> None:
    volume = decode_new({"volume": {"category": "evs", "ownership": "managed"}}).volume
    assert (volume.category.upper(), volume.ownership.upper()) == ("EVS", "MANAGED")
