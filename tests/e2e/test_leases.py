"""Auto-stop with real time: never early, at most five seconds late, across a restart of the service."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkmodelarts.v1 import LeaseReq, RenewLeaseRequest, ShowLeaseRequest

from support.sdk import connect, create, show, wait_until
from support.service import Service, wait_for

LATE = 5.0


@pytest.fixture
def laboratory(tmp_path: Path) -> Iterator[Service]:
    """A service that allows periods of a second."""
    running = Service(tmp_path / "data", environment={"NBFLEET_LEASE__MINIMUM": "1000"}).start()
    yield running
    running.clear_away()


def seconds_until_it_stops(client, notebook_id: str) -> float:
    """How long after its deadline the notebook was seen to be stopping."""
    lease = client.show_lease(ShowLeaseRequest(id=notebook_id))
    deadline = (lease.create_at + lease.duration) / 1000
    wait_for("the lease to run out", lambda: show(client, notebook_id).status != "RUNNING", 30)
    return time.time() - deadline


def test_a_lease_that_runs_out_stops_the_notebook_in_time(laboratory: Service) -> None:
    client = connect(laboratory)
    notebook = create(client, name="short", lease=LeaseReq(duration=3000, type="TIMING"))
    running = wait_until(client, notebook.id, "RUNNING")
    assert (running.lease.enable, running.lease.type) == (True, "TIMING")
    assert running.lease.duration == running.lease.update_at - running.lease.create_at + 3000

    assert 0 <= seconds_until_it_stops(client, notebook.id) <= LATE
    wait_until(client, notebook.id, "STOPPED")
    assert laboratory.instance_pids() == []
    with pytest.raises(exceptions.ClientRequestException) as refused:
        client.show_lease(ShowLeaseRequest(id=notebook.id))
    assert (refused.value.status_code, refused.value.error_code) == (400, "ModelArts.6327")


def test_a_renewal_replaces_what_was_left_and_a_restart_forgets_nothing(laboratory: Service) -> None:
    client = connect(laboratory)
    notebook = create(client, name="renewed", lease=LeaseReq(duration=3_600_000, type="TIMING"))
    wait_until(client, notebook.id, "RUNNING")

    renewed = client.renew_lease(RenewLeaseRequest(id=notebook.id, duration=5000))
    assert renewed.duration == renewed.update_at - renewed.create_at + 5000
    laboratory.kill()
    laboratory.start()

    assert 0 <= seconds_until_it_stops(client, notebook.id) <= LATE
    wait_until(client, notebook.id, "STOPPED")


def test_without_auto_stop_it_runs_on(laboratory: Service) -> None:
    client = connect(laboratory)
    notebook = create(client, name="endless", duration=-1)
    running = wait_until(client, notebook.id, "RUNNING")
    assert (running.lease.enable, running.lease.duration) == (False, -1)
    lease = client.renew_lease(RenewLeaseRequest(id=notebook.id, body=LeaseReq(duration=2000)))
    assert (lease.enable, lease.duration) == (True, lease.update_at - lease.create_at + 2000)
    lease = client.renew_lease(RenewLeaseRequest(id=notebook.id, duration=-1))
    assert (lease.enable, lease.duration) == (False, -1)
    time.sleep(3)
    assert show(client, notebook.id).status == "RUNNING"
