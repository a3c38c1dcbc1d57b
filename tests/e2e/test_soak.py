"""Checks that gain from being repeated: short here, for hours in scripts/soak."""

import random
import time

import pytest
from huaweicloudsdkmodelarts.v1 import (
    DeleteNotebookRequest,
    ListAllNotebooksRequest,
    StartNotebookRequest,
    StopNotebookRequest,
)

from support.sdk import connect, create, show
from support.service import Service, wait_for

ALLOWED = {"RUNNING": ("stop", "delete"), "STOPPED": ("start", "delete")}


@pytest.mark.soak
def test_kills_at_any_moment_lose_nothing(service: Service, rounds: int) -> None:
    """Random wishes, a kill at a random moment after each, and a restart: every wish comes true, no instance
    is lost and none is left over."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    client = connect(service)
    wanted: dict[str, str] = {}
    for number in range(rounds):
        _wish(client, chance, wanted, number)
        time.sleep(chance.random() * chance.choice((0.01, 0.3, 2.0)))
        service.kill()
        service.start()
        _check(service, client, wanted, f"seed {seed}, round {number}")
    for notebook_id in wanted:
        client.delete_notebook(DeleteNotebookRequest(id=notebook_id))
    wait_for("all to be gone", lambda: client.list_all_notebooks(ListAllNotebooksRequest()).total == 0)
    assert service.instance_pids() == []


def _wish(client, chance: random.Random, wanted: dict[str, str], number: int) -> None:
    """One accepted wish; `wanted` remembers what must come true."""
    if len(wanted) < 2:
        wanted[create(client, name=f"soak-{number}").id] = "RUNNING"
        return
    notebook_id = chance.choice(sorted(wanted))
    what = chance.choice(ALLOWED[wanted[notebook_id]])
    if what == "delete":
        client.delete_notebook(DeleteNotebookRequest(id=notebook_id))
        del wanted[notebook_id]
    elif what == "stop":
        client.stop_notebook(StopNotebookRequest(id=notebook_id))
        wanted[notebook_id] = "STOPPED"
    else:
        client.start_notebook(StartNotebookRequest(id=notebook_id))
        wanted[notebook_id] = "RUNNING"


def _check(service: Service, client, wanted: dict[str, str], where: str) -> None:
    def come_true() -> bool:
        return {one: show(client, one).status for one in wanted} == wanted

    wait_for(f"{wanted} to come true ({where})", come_true, 30)
    page = client.list_all_notebooks(ListAllNotebooksRequest(limit=1000))
    listed = {one.id: one.status for one in page.data if one.status != "DELETING"}
    assert listed == wanted, where

    def no_strays() -> bool:
        running = sum(status == "RUNNING" for status in wanted.values())
        return len(service.server_pids()) == running

    wait_for(f"no stray to be left ({where})", no_strays, 30)
