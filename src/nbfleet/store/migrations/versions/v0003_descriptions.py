"""Descriptions side by side, so that looking for a part of one does not read every instance; most have none."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    described = sa.text("description_folded <> ''")
    op.create_index(
        "instances_description",
        "instances",
        ["description_folded"],
        sqlite_where=described,
        postgresql_where=described,
    )
