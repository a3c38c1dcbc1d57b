"""The tables, for both databases.

`notebooks` is narrow: only what lists filter and sort by, with small integers for enumerations and for
ids that repeat. What a list shows stands ready as bytes in `documents`; what the reconciler works with is in
`instances`. All three rows of a notebook share `rid` and are written in one transaction. The counters are
kept by triggers, which are part of the migrations because the two databases spell them differently.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from nbfleet.domain.lifecycle import TAKES_ROOM
from nbfleet.store.codes import STATUS
from nbfleet.store.schema_bulk import bulk_actions, bulk_rows
from nbfleet.store.schema_identity import (
    Number,
    SortedText,
    access_keys,
    accounts,
    keypairs,
    login_links,
    memberships,
    metadata,
    pools,
    projects,
    quotas,
    roles,
    tokens,
    users,
    workspace_grants,
    workspaces,
)

# What is handed on, beside the tables of this module.
__all__ = [
    "access_keys",
    "accounts",
    "bulk_actions",
    "bulk_rows",
    "keypairs",
    "login_links",
    "memberships",
    "metadata",
    "pools",
    "projects",
    "quotas",
    "roles",
    "tokens",
    "users",
    "workspace_grants",
    "workspaces",
]

images = Table(
    "images",
    metadata,
    Column("no", Number, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("swr_path", Text, nullable=False),
    Column("swr_path_folded", Text, nullable=False),
    Column("create_at", BigInteger, nullable=False),
    Column("update_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # The published image as JSON.
    # What lists filter, sort and group by, as it stands in the body; null where it is absent there.
    Column("type", Text),
    Column("status", Text),
    Column("name", SortedText),
    Column("namespace", SortedText),
    Column("tag", SortedText),
    Column("size", BigInteger),
    Column("service_type", Text),
    Column("workspace_id", Text),
    Column("show_name", Text),
    Column("show_tag", Text),
    Column("group_id", String(36)),
    # Whose it is; null for those of the service, which every project has.
    Column("project_no", Number, ForeignKey("projects.no")),
    Column("owner_no", Number, ForeignKey("users.no")),
    Column("read_me", Text),  # Of the group; the same in all its images.
    Column("manifest", LargeBinary),  # As it was read last.
    # The trial that is to be made, and when; null when there is nothing to do about the image.
    Column("trial", Integer),
    Column("due_at", BigInteger),
    Index("images_by_path", "project_no", "swr_path", unique=True, sqlite_where=text("status <> 'DELETED'"),
          postgresql_where=text("status <> 'DELETED'")),
    # These are asked while a transaction writes: how many somebody has, those of a name, who has a reference.
    *(Index(f"images_{name}", column, sqlite_where=text("status <> 'DELETED'"),
            postgresql_where=text("status <> 'DELETED'"))
      for name, column in (("of_owner", "owner_no"), ("of_group", "group_id"), ("of_reference", "swr_path"))),
    Index("images_due", "due_at", sqlite_where=text("due_at IS NOT NULL"),
          postgresql_where=text("due_at IS NOT NULL")),
    sqlite_autoincrement=True,
)  # fmt: skip

notebooks = Table(
    "notebooks",
    metadata,
    Column("rid", Number, primary_key=True),
    Column("project_no", Number, ForeignKey("projects.no"), nullable=False),
    Column("id", String(36), nullable=False),
    Column("owner_no", Number, ForeignKey("users.no"), nullable=False),
    Column("workspace_no", Number, ForeignKey("workspaces.no"), nullable=False),
    Column("pool_no", Number, nullable=False),  # 0: the public pool.
    Column("image_no", Number, ForeignKey("images.no"), nullable=False),
    Column("feature", SmallInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("billing", SmallInteger, nullable=False),  # Bits: 1 compute, 2 storage.
    Column("name", SortedText, nullable=False),
    Column("name_folded", Text, nullable=False),
    Column("flavor", SortedText, nullable=False),
    Column("ip", Text),
    Column("create_at", BigInteger, nullable=False),
    Column("update_at", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False),
    # GB of its work volume that count: as large as it is to be, and none once it is deleted.
    Column("storage", Integer, nullable=False, server_default="0"),
    UniqueConstraint("id", name="notebooks_by_id"),
    sqlite_autoincrement=True,
)

# The tie-break stands directly behind the sort key, or deep pages are sorted instead of walked; the
# filter columns follow, so that counting and filtering never touch the table. The folded name stands in the
# index of the usual order, where parts of names are looked for. Deleted notebooks are kept for audit and are
# in none of these: a list must not become slower by what is no longer there.
DELETED = 30  # Its code; statements spell it out, because a partial index cannot be told by a parameter.
_KEYS = {
    "create_at": ("create_at",),
    "update_at": ("update_at",),
    "name": ("name",),
    "owner": ("owner_no", "create_at"),
    "status": ("status", "create_at"),
    "status_update": ("status", "update_at"),
    "pool": ("pool_no", "create_at"),
    "workspace": ("workspace_no", "create_at"),
}
_FILTERS = ("status", "feature", "workspace_no", "pool_no", "owner_no")


def _index(name: str, condition: str, *columns: str) -> None:
    Index(
        f"notebooks_{name}",
        *(notebooks.c[column] for column in ("project_no", *columns)),
        sqlite_where=text(condition),
        postgresql_where=text(condition),
    )


for _name, _key in _KEYS.items():
    _rest = (c for c in _FILTERS if c not in _key)
    _also = ("name_folded",) if _name == "create_at" else ()
    _index(_name, f"status <> {DELETED}", *_key, "rid", *_rest, *_also)
_index("deleted", f"status = {DELETED}", "create_at", "rid", *_FILTERS[1:])
# Whether anybody uses an image is asked before it is deleted, and must not cost a look at every notebook.
Index(
    "notebooks_image",
    notebooks.c.image_no,
    sqlite_where=text(f"status <> {DELETED}"),
    postgresql_where=text(f"status <> {DELETED}"),
)

# Codes of the states in which an instance has, or is to have, room in its pool.
TAKING = tuple(sorted(STATUS[status] for status in TAKES_ROOM))


def has_room(status: str) -> str:
    """Written out, as a partial index is not found by a parameter."""
    return f"{status} IN ({', '.join(map(str, TAKING))})"


_takes_room = text(f"pool_no <> 0 AND {has_room('status')}")
Index(
    "notebooks_taking",
    *(notebooks.c[column] for column in ("pool_no", "flavor", "status", "rid")),
    sqlite_where=_takes_room,
    postgresql_where=_takes_room,
)

# How many of each flavor have room at all, in a project, a workspace, of an owner.
_index("sizes", has_room("status"), "flavor", "status", "workspace_no", "owner_no", "rid")
HAS_ROOM = text(f"{has_room('notebooks.status')}")  # What `notebooks_sizes` holds.

documents = Table(
    "documents",
    metadata,
    Column("rid", Number, ForeignKey("notebooks.rid"), primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

instances = Table(
    "instances",
    metadata,
    Column("rid", Number, ForeignKey("notebooks.rid"), primary_key=True, autoincrement=False),
    Column("wanted", Text, nullable=False),
    Column("observed", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("description_folded", Text, nullable=False),
    Column("volume_category", Text, nullable=False),
    Column("volume_ownership", Text, nullable=False),
    Column("volume_capacity", Integer, nullable=False),
    Column("volume_mount_path", Text, nullable=False),
    Column("lease_create_at", BigInteger, nullable=False),
    Column("lease_update_at", BigInteger, nullable=False),
    Column("lease_duration", BigInteger, nullable=False),
    Column("lease_period", BigInteger, nullable=False),
    Column("lease_enable", Boolean, nullable=False),
    Column("lease_type", Text, nullable=False),
    Column("progress", Text),
    Column("fail_reason", Text),
    Column("endpoint", Text),
    Column("handle", LargeBinary),
    # What the loops look for. Each is null where its loop has nothing to do with the row.
    Column("due_at", BigInteger),  # In motion: when the reconciler must look at it.
    Column("stop_at", BigInteger),  # When time alone stops it, or removes it.
    Column("claim", Text),
    Column("claim_until", BigInteger),
    Column("volume_growing_to", Integer),
    Column("making", Text),  # JSON of `domain.notebook.Making`; null for an ordinary one.
    Column("volume_source", Text),  # JSON of `domain.storage.Source`; null for the service's own.
    Index("instances_due", "due_at", sqlite_where=text("due_at IS NOT NULL"),
          postgresql_where=text("due_at IS NOT NULL")),
    Index("instances_stop", "stop_at", sqlite_where=text("stop_at IS NOT NULL"),
          postgresql_where=text("stop_at IS NOT NULL")),
    # Not for order: a part of a description is looked for among these entries, which are short.
    Index("instances_description", "description_folded", sqlite_where=text("description_folded <> ''"),
          postgresql_where=text("description_folded <> ''")),
    Index("instances_running", "rid", sqlite_where=text("wanted = 'RUNNING' AND observed = 'RUNNING'"),
          postgresql_where=text("wanted = 'RUNNING' AND observed = 'RUNNING'")),
)  # fmt: skip

notebook_tags = Table(
    "notebook_tags",
    metadata,
    Column("rid", Number, ForeignKey("notebooks.rid"), primary_key=True),
    Column("key", SortedText, primary_key=True),
    Column("value", SortedText, nullable=False),
    Index("notebook_tags_by_key", "key", "value", "rid"),
)

mounts = Table(
    "mounts",
    metadata,
    Column("no", Number, primary_key=True),
    Column("id", String(36), nullable=False),
    Column("rid", Number, ForeignKey("notebooks.rid"), nullable=False),
    Column("category", Text, nullable=False),
    Column("mount_path", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("file_system_id", Text),
    Column("read_only", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("failure_reason", Text),
    Column("create_at", BigInteger, nullable=False),
    Column("update_at", BigInteger, nullable=False),
    Column("due_at", BigInteger),  # When the reconciler must look at it; null where it is settled.
    UniqueConstraint("id", name="mounts_by_id"),
    Index("mounts_of_notebook", "rid", "no"),
    Index("mounts_due", "due_at", sqlite_where=text("due_at IS NOT NULL"),
          postgresql_where=text("due_at IS NOT NULL")),
    sqlite_autoincrement=True,
)  # fmt: skip


def _counter(name: str, *keys: str) -> Table:
    """How many notebooks there are for each combination of these columns. The keys come first: what is asked
    for one pool is then a few cells side by side, however many pools there are."""
    columns = ("project_no", *keys, "feature", "status")
    return Table(
        name, metadata, *(Column(c, Number, primary_key=True, autoincrement=False) for c in columns),
        Column("total", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )  # fmt: skip


count_by_status = _counter("count_by_status")
count_by_pool = _counter("count_by_pool", "pool_no")
count_by_workspace = _counter("count_by_workspace", "workspace_no")
count_by_owner = _counter("count_by_owner", "owner_no")
count_by_pool_workspace = _counter("count_by_pool_workspace", "pool_no", "workspace_no")
COUNTERS = (count_by_status, count_by_pool, count_by_workspace, count_by_owner, count_by_pool_workspace)

# The sums of `storage`, kept by triggers as well.
storage_used = Table(
    "storage_used", metadata,
    *(Column(c, Number, primary_key=True, autoincrement=False)
      for c in ("project_no", "workspace_no", "owner_no")),
    Column("total", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("project_no", Number, ForeignKey("projects.no"), primary_key=True),
    Column("user_no", Number, ForeignKey("users.no"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the request it was first sent with.
    Column("notebook_id", String(36), nullable=False),
    Column("create_at", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("no", Number, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("project_id", Text, nullable=False),
    Column("notebook_id", Text, nullable=False),
    Column("actor", Text, nullable=False),  # A user id, or the part of the service that acted.
    Column("event", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("reason", Text),
    Column("request_id", Text),
    Index("audit_by_notebook", "notebook_id", "no"),
)

# How many notebooks had each status at a moment, and what happened in each hour: see `domain.history`.
status_samples = Table(
    "status_samples", metadata,
    *(Column(c, Number, primary_key=True, autoincrement=False)
      for c in ("project_no", "span", "at", "status")),
    Column("total", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip

activity_hours = Table(
    "activity_hours", metadata,
    *(Column(c, Number, primary_key=True, autoincrement=False) for c in ("project_no", "hour")),
    *(Column(c, Text, primary_key=True) for c in ("event", "reason")),
    Column("total", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip

settings = Table(
    "settings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
