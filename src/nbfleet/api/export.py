"""Exported notebooks as bytes: one JSON object a line, or a table for a spreadsheet.

Neither has tokens or addresses, whoever asks: a file is passed on. A cell that a spreadsheet would take for a
formula begins with an apostrophe; JSON has every value exactly.
"""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from nbfleet.store.listing import Row

Encoder = Callable[[Sequence[Row]], bytes]

COLUMNS = (
    "id", "name", "status", "feature", "flavor", "owner_id", "owner_name", "workspace_id", "image_id",
    "image", "pool_id", "pool", "volume", "capacity_gb", "created", "updated", "ip", "tags", "description",
    "fail_reason",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MILLISECONDS = 1000


class _Image(Struct):
    id: str
    swr_path: str | UnsetType = UNSET


class _Volume(Struct):
    category: str
    capacity: int


class _Pool(Struct, frozen=True):
    id: str
    name: str = ""


class _Tag(Struct):
    key: str
    value: str


class _Document(Struct):
    """The part of a document that the table shows."""

    id: str
    name: str
    status: str
    feature: str
    flavor: str
    workspace_id: str
    image: _Image
    volume: _Volume
    create_at: int
    update_at: int
    tags: list[_Tag]
    description: str
    ip: str = ""
    pool: _Pool = _Pool(id="")
    fail_reason: str = ""


_decoder = msgspec.json.Decoder(_Document)


def ndjson(line: Callable[[Row], bytes]) -> Encoder:
    """`line` is the JSON object of a row."""

    def encode(rows: Sequence[Row]) -> bytes:
        return b"".join([line(row) + b"\n" for row in rows])

    return encode


def table() -> Encoder:
    """The first batch begins with the names of the columns."""
    heading: list[Sequence[str]] = [COLUMNS]

    def encode(rows: Sequence[Row]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerows(heading)
        heading.clear()
        writer.writerows(_cells(row) for row in rows)
        return text.getvalue().encode()

    return encode


def _cells(row: Row) -> list[Any]:
    one = _decoder.decode(row.body)
    path = one.image.swr_path
    return [
        one.id, _harmless(one.name), one.status, one.feature, _harmless(one.flavor), row.owner_id,
        _harmless(row.owner_name), one.workspace_id, one.image.id,
        "" if isinstance(path, UnsetType) else _harmless(path), one.pool.id, _harmless(one.pool.name),
        one.volume.category, one.volume.capacity, _moment(one.create_at), _moment(one.update_at), one.ip,
        _harmless(",".join(f"{tag.key}|{tag.value}" for tag in one.tags)), _harmless(one.description),
        _harmless(one.fail_reason),
    ]  # fmt: skip


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _moment(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / _MILLISECONDS, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % _MILLISECONDS:03d}Z"
