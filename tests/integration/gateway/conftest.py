import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import gateway_harness as harness

from nbfleet import gateway


@pytest.fixture(scope="module")
def socket_path(tmp_path_factory):
    return tmp_path_factory.mktemp("s") / "up.sock"


@pytest.fixture(scope="module")
def upstream(socket_path):
    with harness.upstream_on(socket_path) as running:
        yield running


@pytest.fixture(scope="module")
def registry(socket_path):
    return harness.Registry(f"unix:{socket_path}")


@pytest.fixture(scope="module")
def measured():
    return []


@pytest.fixture(scope="module")
def server(upstream, registry, measured):
    def on_request(*args):
        measured.append(args)

    settings = gateway.Settings(recheck_seconds=0.05)
    with harness.serving(gateway.app(registry.resolve, settings, on_request)) as address:
        yield address
