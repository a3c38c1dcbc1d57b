"""Storage that is not the service's own: as a work volume, and mounted into running instances."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Written out here and not imported: the schema module moves on, this file does not.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("instances", sa.Column("volume_source", sa.Text))
    op.create_table(
        "mounts",
        sa.Column("no", NUMBER, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("rid", NUMBER, nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("mount_path", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("file_system_id", sa.Text(), nullable=True),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("create_at", sa.BigInteger(), nullable=False),
        sa.Column("update_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["rid"], ["notebooks.rid"]),
        sa.PrimaryKeyConstraint("no"),
        sa.UniqueConstraint("id", name="mounts_by_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("mounts_of_notebook", "mounts", ["rid", "no"])
    due = sa.text("due_at IS NOT NULL")
    op.create_index("mounts_due", "mounts", ["due_at"], sqlite_where=due, postgresql_where=due)
