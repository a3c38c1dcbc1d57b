"""Pools know since when they are there; what takes room in a pool stands in an index of its own, so that it is
counted without looking at what does not; key pairs of users."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None

# Written out here and not imported: the schema module moves on, this file does not.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("pools", sa.Column("create_at", sa.BigInteger(), nullable=True))
    taking = sa.text("pool_no <> 0 AND status IN (20, 50, 80, 90, 100, 110, 140)")
    op.create_index(
        "notebooks_taking",
        "notebooks",
        ["pool_no", "flavor", "status", "rid"],
        sqlite_where=taking,
        postgresql_where=taking,
    )
    op.create_table(
        "keypairs",
        sa.Column("user_no", NUMBER, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("create_at", sa.BigInteger(), nullable=False),
        sa.Column("update_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_no"], ["users.no"]),
        sa.PrimaryKeyConstraint("user_no", "name"),
    )
