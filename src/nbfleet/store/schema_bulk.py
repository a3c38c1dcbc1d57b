"""The tables of actions on many notebooks: what was asked for, and what became of each notebook.

Users and projects stand in them by their ids, as in the audit trail: they may be gone when somebody reads it.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, text

from nbfleet.store.schema_identity import Number, metadata

bulk_actions = Table(
    "bulk_actions",
    metadata,
    Column("no", Number, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("project_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("wish", Text, nullable=False),  # JSON: the parameters, and the query if it was one.
    Column("total", Integer, nullable=False),
    Column("request_id", Text),
    Column("create_at", BigInteger, nullable=False),
    Column("end_at", BigInteger),  # Null while rows are pending.
    Column("cancel_at", BigInteger),
    # A digest of the project and of the word of the request: what is sent twice begins one action.
    Column("once", String(64)),
    Column("counts", Text),  # JSON: how many rows have each result; null while rows are pending.
    Index("bulk_actions_of_user", "project_id", "user_id", "no"),
    Index("bulk_actions_once", "user_id", "once", unique=True),
    Index("bulk_actions_open", "no", sqlite_where=text("end_at IS NULL"),
          postgresql_where=text("end_at IS NULL")),
    sqlite_autoincrement=True,
)  # fmt: skip

bulk_rows = Table(
    "bulk_rows",
    metadata,
    Column("action_no", Number, ForeignKey("bulk_actions.no"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("notebook_id", String(36), nullable=False),
    Column("name", Text, nullable=False),  # As it was then: a deleted one has none to look up.
    Column("result", Text, nullable=False),
    Column("reason", Text),
    Column("detail", Text),  # The words of a refusal.
    Column("at", BigInteger),
    Index("bulk_rows_by_result", "action_no", "result", "place"),
    sqlite_with_rowid=False,
)
