"""Which project made a role: no other one may delete it, or give its name another meaning."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# Written out here and not imported: the schema module moves on, this file does not.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # SQLite takes a reference with the column or not at all. Roles from before are nobody's.
    number = NUMBER.compile(dialect=op.get_bind().dialect)
    op.execute(f"ALTER TABLE roles ADD COLUMN project_no {number} REFERENCES projects (no)")
