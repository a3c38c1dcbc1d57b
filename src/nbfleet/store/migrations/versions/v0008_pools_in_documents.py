"""The pool of a notebook stands in its document, so that a list has nothing to look up for it."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Ids and names of pools are letters, digits and hyphens: they need no escaping in JSON.
_MEMBER = """',"pool":{"id":"' || p.id || '","name":"' || p.name || '"}}'"""
_OF = "FROM notebooks n JOIN pools p ON p.no = n.pool_no WHERE n.rid = documents.rid"
_POOLED = "rid IN (SELECT rid FROM notebooks WHERE pool_no <> 0)"
_BODIES = {
    "sqlite": f"SELECT CAST(substr(CAST(body AS TEXT), 1, length(CAST(body AS TEXT)) - 1) || {_MEMBER} AS BLOB) {_OF}",
    "postgresql": f"SELECT substring(body from 1 for length(body) - 1) || convert_to({_MEMBER}, 'UTF8') {_OF}",
}


def upgrade() -> None:
    body = _BODIES[op.get_bind().dialect.name]
    op.execute(f"UPDATE documents SET body = ({body}) WHERE {_POOLED}")
