"""Keeps what the tests of the local runtime put below the temporary directory together, and takes it away."""

import tempfile
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def own_temporary_directory() -> Iterator[None]:
    """Test directories are too deep for sockets, so these go here: its name has to be short."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="nb", dir="/tmp") as name:
        tempfile.tempdir = name
        yield
        tempfile.tempdir = before
