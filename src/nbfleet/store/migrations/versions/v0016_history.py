"""What is remembered of the fleet over time: samples of its counts, and what happened by the hour."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# Written out here and not imported: the schema module moves on, this file does not.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "status_samples",
        *(sa.Column(name, NUMBER, nullable=False) for name in ("project_no", "span", "at", "status")),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_no", "span", "at", "status"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "activity_hours",
        *(sa.Column(name, NUMBER, nullable=False) for name in ("project_no", "hour")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("event", "reason")),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_no", "hour", "event", "reason"),
        sqlite_with_rowid=False,
    )
