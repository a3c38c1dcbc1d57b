"""The tables of who there is and where: accounts, projects, users, what they hold, workspaces and pools.

The tables of notebooks and images are in `schema`, which everybody imports; it brings these along.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# Where `sqlite_autoincrement` stands: SQLite would give a number that was freed to the next row, and what
# remembers numbers must never meet one twice.
# SQLite only counts up by itself in a column that is spelled INTEGER.
Number = BigInteger().with_variant(Integer, "sqlite")
# Order by code point on both databases: SQLite does so by itself, PostgreSQL when told.
SortedText = Text().with_variant(Text(collation="C"), "postgresql")

accounts = Table(
    "accounts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

projects = Table(
    "projects",
    metadata,
    Column("no", Number, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
    Column("account_id", String(32), ForeignKey("accounts.id"), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("create_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

users = Table(
    "users",
    metadata,
    Column("no", Number, primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
    Column("name_folded", Text, nullable=False),
    Column("account_id", String(32), ForeignKey("accounts.id"), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("create_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

memberships = Table(
    "memberships",
    metadata,
    Column("user_no", Number, ForeignKey("users.no"), primary_key=True),
    Column("project_no", Number, ForeignKey("projects.no"), primary_key=True),
    Column("role", Text, nullable=False),
)

roles = Table(
    "roles",
    metadata,
    Column("name", SortedText, primary_key=True),
    Column("actions", Text, nullable=False),  # A JSON array. Those that are built in have no row.
    Column("project_no", Number, ForeignKey("projects.no")),  # Whose administrators made it; null: no one's.
)

access_keys = Table(
    "access_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user_no", Number, ForeignKey("users.no"), nullable=False),
    Column("secret", LargeBinary, nullable=False),  # Sealed with the key file.
    Column("enabled", Boolean, nullable=False),
    Column("create_at", BigInteger, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # SHA-256; the token itself is kept nowhere.
    Column("user_no", Number, ForeignKey("users.no"), nullable=False),
    Column("project_no", Number, ForeignKey("projects.no"), nullable=True),
    Column("expires_at", BigInteger, nullable=False),
    Index("tokens_by_expiry", "expires_at"),
)

keypairs = Table(
    "keypairs",
    metadata,
    Column("user_no", Number, ForeignKey("users.no"), primary_key=True),
    Column("name", SortedText, primary_key=True),
    Column("public_key", Text, nullable=False),  # The private one is kept nowhere.
    Column("fingerprint", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("create_at", BigInteger, nullable=False),
    Column("update_at", BigInteger, nullable=False),
)

login_links = Table(
    "login_links",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("user_no", Number, ForeignKey("users.no"), nullable=False),
    Column("project_no", Number, ForeignKey("projects.no"), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

workspaces = Table(
    "workspaces",
    metadata,
    Column("no", Number, primary_key=True),
    Column("project_no", Number, ForeignKey("projects.no"), nullable=False),
    Column("id", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=text("''")),
    Column("auth_type", Text, nullable=False, server_default="PUBLIC"),  # In the case in which it was given.
    Column("owner_no", Number, ForeignKey("users.no")),  # Who made it; null of the default one.
    Column("create_at", BigInteger, nullable=False, server_default="0"),
    Column("update_at", BigInteger, nullable=False, server_default="0"),
    Column("delete_at", BigInteger),  # What had notebooks stays on record.
    UniqueConstraint("project_no", "id", name="workspaces_by_id"),
    sqlite_autoincrement=True,
)

workspace_grants = Table(
    "workspace_grants",
    metadata,
    Column("workspace_no", Number, ForeignKey("workspaces.no"), primary_key=True),
    Column("user_no", Number, ForeignKey("users.no"), primary_key=True),
    Index("workspace_grants_by_user", "user_no"),
)

quotas = Table(
    "quotas",
    metadata,
    Column("project_no", Number, ForeignKey("projects.no"), primary_key=True),
    Column("holder", Text, primary_key=True),
    Column("holder_no", Number, primary_key=True),  # 0: the project itself, or each of its users.
    Column("resource", Text, primary_key=True),
    Column("value", Integer, nullable=False),
    Column("update_at", BigInteger, nullable=False),
)

pools = Table(
    "pools",
    metadata,
    Column("no", Number, primary_key=True),
    Column("project_no", Number, ForeignKey("projects.no"), nullable=False),
    Column("id", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("name_folded", Text, nullable=False),
    Column("create_at", BigInteger),
    UniqueConstraint("project_no", "id", name="pools_by_id"),
    sqlite_autoincrement=True,
)
