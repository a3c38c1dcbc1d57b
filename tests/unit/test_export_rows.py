"""Rows of an export are counted as they arrive, wherever the pieces were cut."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbfleet.cli.lists import Rows

CELLS = st.text(st.sampled_from('ab,"\n\r'), max_size=4)


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=3), max_size=8), st.lists(st.integers(1, 9), max_size=40)
)
def test_a_table_has_as_many_rows_as_its_reader_finds(table: list[list[str]], sizes: list[int]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["name", "description"], *table])
    rows, rest, told = Rows("csv"), text.getvalue().encode(), 0
    for size in sizes:
        told += rows.more(rest[:size])
        rest = rest[size:]
    told += rows.more(rest)
    assert (rows.seen, told) == (len(table), len(table))


@pytest.mark.parametrize("pieces", [[b'{"a":1}\n{"a":2}\n'], [b'{"a":', b'1}\n{"a":2}', b"\n"]])
def test_a_line_is_a_row(pieces: list[bytes]) -> None:
    rows = Rows("ndjson")
    assert (sum(rows.more(piece) for piece in pieces), rows.seen) == (2, 2)
