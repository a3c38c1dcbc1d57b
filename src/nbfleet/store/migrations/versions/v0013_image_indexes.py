"""Indexes for what is asked about living images while a transaction writes."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_LIVES = sa.text("status <> 'DELETED'")


def upgrade() -> None:
    for name, column in (("of_owner", "owner_no"), ("of_group", "group_id"), ("of_reference", "swr_path")):
        op.create_index(f"images_{name}", "images", [column], sqlite_where=_LIVES, postgresql_where=_LIVES)
