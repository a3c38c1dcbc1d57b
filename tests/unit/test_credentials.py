"""Where the service is, told by what stands in its data directory."""

from pathlib import Path

import msgspec
import pytest

from nbfleet.credentials import CREDENTIALS, Credentials, endpoint_of
from nbfleet.settings import load

STARTED = Credentials(
    endpoint="http://127.0.0.1:18081", project_id="p", user_id="u", user_name="admin", password="x",
    access_key="a", secret_key="s",
)  # fmt: skip


@pytest.mark.parametrize(
    ("written", "given", "told"),
    [
        (None, {}, "http://127.0.0.1:8080"),
        (None, {"port": 9000}, "http://127.0.0.1:9000"),
        (msgspec.json.encode(STARTED), {}, "http://127.0.0.1:18081"),
        (msgspec.json.encode(STARTED), {"port": 9000}, "http://127.0.0.1:18081"),
        (b'{"endpoint": "http://127.0.0.1:18081"}', {}, "http://127.0.0.1:18081"),
        (msgspec.json.encode(STARTED), {"public_url": "https://a.example.test"}, "https://a.example.test"),
        (b"{", {"port": 9000}, "http://127.0.0.1:9000"),
    ],
)
def test_the_last_start_knows_unless_there_is_a_public_url(
    tmp_path: Path, written: bytes | None, given: dict[str, object], told: str
) -> None:
    if written is not None:
        (tmp_path / CREDENTIALS).write_bytes(written)
    assert endpoint_of(load({"data_dir": str(tmp_path), **given}, {})) == told
