"""A list that is written down and read again is the same list."""

from urllib.parse import urlencode

import pytest

from nbfleet.api.lists import read_query
from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Billing, Query, Tag, Window, spelled

FULL = Query(
    owner_id="0123456789abcdef0123456789abcdef",
    feature="DEFAULT",
    workspace_id="0123456789abcdef0123456789abcdef",
    statuses=(Status.RUNNING, Status.START_FAILED),
    created=Window(1, 2),
    updated=Window(None, 4),
    id="3d9069fb-6058-4e69-b76d-000000000001",
    image_id="3d9069fb-6058-4e69-b76d-000000000002",
    pool_id="pool-3d9069fb-6058-4e69-b76d-000000000002",
    ip="10.0.0.1",
    billing=Billing.STORAGE,
    tags=(Tag("team", "a|b"), Tag("course"), Tag("empty", "")),
    name="笔记",
    flavor="modelarts",
    description="50% + more=?#",
    swr_path="a/b",
    pool_name="gpu",
    username="ada",
)


@pytest.mark.parametrize("query", [FULL, Query(), Query(feature=None, workspace_id=None)])
def test_a_list_survives_being_written_down(query: Query) -> None:
    assert read_query(urlencode(spelled(query))) == query
