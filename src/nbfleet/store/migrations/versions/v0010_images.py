"""Images of projects and users: what lists ask for side by side, whose they are, and what is to be done."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from nbfleet.store.migrations.triggers import is_postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_SHOWN: dict[str, Any] = {
    "type": sa.Text(),
    "status": sa.Text(),
    "name": _TEXT,
    "namespace": _TEXT,
    "tag": _TEXT,
    "size": sa.BigInteger(),
    "service_type": sa.Text(),
    "workspace_id": sa.Text(),
    "show_name": sa.Text(),
    "show_tag": sa.Text(),
}
_OWN: dict[str, Any] = {
    "group_id": sa.String(36),
    "read_me": sa.Text(),
    "manifest": sa.LargeBinary(),
    "trial": sa.Integer(),
    "due_at": sa.BigInteger(),
}


def upgrade() -> None:
    for name, kind in (_SHOWN | _OWN).items():
        op.add_column("images", sa.Column(name, kind))
    number = "BIGINT" if is_postgresql() else "INTEGER"
    # As text: Alembic cannot add a reference to a table of SQLite, though SQLite can.
    op.execute(f"ALTER TABLE images ADD COLUMN project_no {number} REFERENCES projects (no)")
    op.execute(f"ALTER TABLE images ADD COLUMN owner_no {number} REFERENCES users (no)")
    _fill()
    _index("images_by_path", "images", ["project_no", "swr_path"], "status <> 'DELETED'", unique=True)
    _index("images_due", "images", ["due_at"], "due_at IS NOT NULL")
    _index("notebooks_image", "notebooks", ["image_no"], "status <> 30")


def _fill() -> None:
    """Writes beside each published image what stands in it. `group_id` stays null: the service writes its
    built-in image anew at each start, and made-up ones are in no group."""
    connection = op.get_bind()
    images = sa.table("images", sa.column("no"), sa.column("body"), *map(sa.column, _SHOWN))
    for row in connection.execute(sa.select(images.c.no, images.c.body)).all():
        body = json.loads(bytes(row.body))
        values = {name: body.get(name) for name in _SHOWN} | {"status": body.get("status", "ACTIVE")}
        connection.execute(sa.update(images).where(images.c.no == row.no).values(**values))


def _index(name: str, table: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)
