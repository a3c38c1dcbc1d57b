"""The first schema: identity, catalogue, notebooks with their counters, records."""

import sqlalchemy as sa
from alembic import op

from nbfleet.store.migrations.triggers import keep_counter

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# fmt: off

# Written out here and not imported: the schema module moves on, this file does not.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

COUNTERS = {"count_by_status": (), "count_by_pool": ("pool_no",), "count_by_workspace": ("workspace_no",)}


def upgrade() -> None:
    _create_identity()
    _create_credentials()
    _create_catalogue()
    _create_notebooks()
    _create_states()
    _create_counters()
    _create_records()
    for table, keys in COUNTERS.items():
        keep_counter(table, ("project_no", "feature", "status", *keys))


def _create_identity() -> None:
    op.create_table('accounts',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name'),
    )
    op.create_table('projects',
    sa.Column('no', NUMBER, nullable=False),
    sa.Column('id', sa.String(length=64), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('account_id', sa.String(length=32), nullable=False),
    sa.Column('enabled', sa.Boolean(), nullable=False),
    sa.Column('create_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], ),
    sa.PrimaryKeyConstraint('no'),
    sa.UniqueConstraint('id'),
    sa.UniqueConstraint('name'),
    sqlite_autoincrement=True,
    )
    op.create_table('users',
    sa.Column('no', NUMBER, nullable=False),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('name_folded', sa.Text(), nullable=False),
    sa.Column('account_id', sa.String(length=32), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=False),
    sa.Column('enabled', sa.Boolean(), nullable=False),
    sa.Column('create_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], ),
    sa.PrimaryKeyConstraint('no'),
    sa.UniqueConstraint('id'),
    sa.UniqueConstraint('name'),
    sqlite_autoincrement=True,
    )
    op.create_table('memberships',
    sa.Column('user_no', NUMBER, nullable=False),
    sa.Column('project_no', NUMBER, nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['project_no'], ['projects.no'], ),
    sa.ForeignKeyConstraint(['user_no'], ['users.no'], ),
    sa.PrimaryKeyConstraint('user_no', 'project_no'),
    )


def _create_credentials() -> None:
    op.create_table('access_keys',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('user_no', NUMBER, nullable=False),
    sa.Column('secret', sa.LargeBinary(), nullable=False),
    sa.Column('enabled', sa.Boolean(), nullable=False),
    sa.Column('create_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['user_no'], ['users.no'], ),
    sa.PrimaryKeyConstraint('id'),
    )
    op.create_table('tokens',
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('user_no', NUMBER, nullable=False),
    sa.Column('project_no', NUMBER),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['project_no'], ['projects.no'], ),
    sa.ForeignKeyConstraint(['user_no'], ['users.no'], ),
    sa.PrimaryKeyConstraint('digest'),
    )
    op.create_index('tokens_by_expiry', 'tokens', ['expires_at'])
    op.create_table('login_links',
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('user_no', NUMBER, nullable=False),
    sa.Column('project_no', NUMBER, nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['project_no'], ['projects.no'], ),
    sa.ForeignKeyConstraint(['user_no'], ['users.no'], ),
    sa.PrimaryKeyConstraint('digest'),
    )


def _create_catalogue() -> None:
    op.create_table('workspaces',
    sa.Column('no', NUMBER, nullable=False),
    sa.Column('project_no', NUMBER, nullable=False),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['project_no'], ['projects.no'], ),
    sa.PrimaryKeyConstraint('no'),
    sa.UniqueConstraint('project_no', 'id', name='workspaces_by_id'),
    sqlite_autoincrement=True,
    )
    op.create_table('pools',
    sa.Column('no', NUMBER, nullable=False),
    sa.Column('project_no', NUMBER, nullable=False),
    sa.Column('id', sa.String(length=64), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('name_folded', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['project_no'], ['projects.no'], ),
    sa.PrimaryKeyConstraint('no'),
    sa.UniqueConstraint('project_no', 'id', name='pools_by_id'),
    sqlite_autoincrement=True,
    )
    op.create_table('images',
    sa.Column('no', NUMBER, nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('swr_path', sa.Text(), nullable=False),
    sa.Column('swr_path_folded', sa.Text(), nullable=False),
    sa.Column('create_at', sa.BigInteger(), nullable=False),
    sa.Column('update_at', sa.BigInteger(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('no'),
    sa.UniqueConstraint('id'),
    sqlite_autoincrement=True,
    )


def _create_notebooks() -> None:
    op.create_table('notebooks',
    sa.Column('rid', NUMBER, nullable=False),
    sa.Column('project_no', NUMBER, nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('owner_no', NUMBER, nullable=False),
    sa.Column('workspace_no', NUMBER, nullable=False),
    sa.Column('pool_no', NUMBER, nullable=False),
    sa.Column('image_no', NUMBER, nullable=False),
    sa.Column('feature', sa.SmallInteger(), nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=False),
    sa.Column('billing', sa.SmallInteger(), nullable=False),
    sa.Column('name', TEXT, nullable=False),
    sa.Column('name_folded', sa.Text(), nullable=False),
    sa.Column('flavor', TEXT, nullable=False),
    sa.Column('ip', sa.Text()),
    sa.Column('create_at', sa.BigInteger(), nullable=False),
    sa.Column('update_at', sa.BigInteger(), nullable=False),
    sa.Column('generation', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['image_no'], ['images.no'], ),
    sa.ForeignKeyConstraint(['owner_no'], ['users.no'], ),
    sa.ForeignKeyConstraint(['project_no'], ['projects.no'], ),
    sa.ForeignKeyConstraint(['workspace_no'], ['workspaces.no'], ),
    sa.PrimaryKeyConstraint('rid'),
    sa.UniqueConstraint('id', name='notebooks_by_id'),
    sqlite_autoincrement=True,
    )
    op.create_index('notebooks_create_at', 'notebooks', ['project_no', 'create_at', 'rid', 'status', 'feature', 'workspace_no', 'pool_no', 'owner_no'])
    op.create_index('notebooks_name', 'notebooks', ['project_no', 'name', 'rid', 'status', 'feature', 'workspace_no', 'pool_no', 'owner_no'])
    op.create_index('notebooks_owner', 'notebooks', ['project_no', 'owner_no', 'create_at', 'rid', 'status', 'feature', 'workspace_no', 'pool_no'])
    op.create_index('notebooks_pool', 'notebooks', ['project_no', 'pool_no', 'create_at', 'rid', 'status', 'feature', 'workspace_no', 'owner_no'])
    op.create_index('notebooks_status', 'notebooks', ['project_no', 'status', 'create_at', 'rid', 'feature', 'workspace_no', 'pool_no', 'owner_no'])
    op.create_index('notebooks_status_update', 'notebooks', ['project_no', 'status', 'update_at', 'rid', 'feature', 'workspace_no', 'pool_no', 'owner_no'])
    op.create_index('notebooks_update_at', 'notebooks', ['project_no', 'update_at', 'rid', 'status', 'feature', 'workspace_no', 'pool_no', 'owner_no'])
    op.create_index('notebooks_workspace', 'notebooks', ['project_no', 'workspace_no', 'create_at', 'rid', 'status', 'feature', 'pool_no', 'owner_no'])


def _create_states() -> None:
    op.create_table('documents',
    sa.Column('rid', NUMBER, autoincrement=False, nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['rid'], ['notebooks.rid'], ),
    sa.PrimaryKeyConstraint('rid'),
    )
    op.create_table('instances',
    sa.Column('rid', NUMBER, autoincrement=False, nullable=False),
    sa.Column('wanted', sa.Text(), nullable=False),
    sa.Column('observed', sa.Text(), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('description_folded', sa.Text(), nullable=False),
    sa.Column('volume_category', sa.Text(), nullable=False),
    sa.Column('volume_ownership', sa.Text(), nullable=False),
    sa.Column('volume_capacity', sa.Integer(), nullable=False),
    sa.Column('volume_mount_path', sa.Text(), nullable=False),
    sa.Column('lease_create_at', sa.BigInteger(), nullable=False),
    sa.Column('lease_update_at', sa.BigInteger(), nullable=False),
    sa.Column('lease_duration', sa.BigInteger(), nullable=False),
    sa.Column('lease_period', sa.BigInteger(), nullable=False),
    sa.Column('lease_enable', sa.Boolean(), nullable=False),
    sa.Column('lease_type', sa.Text(), nullable=False),
    sa.Column('progress', sa.Text()),
    sa.Column('fail_reason', sa.Text()),
    sa.Column('endpoint', sa.Text()),
    sa.Column('handle', sa.LargeBinary()),
    sa.Column('due_at', sa.BigInteger()),
    sa.Column('stop_at', sa.BigInteger()),
    sa.Column('claim', sa.Text()),
    sa.Column('claim_until', sa.BigInteger()),
    sa.ForeignKeyConstraint(['rid'], ['notebooks.rid'], ),
    sa.PrimaryKeyConstraint('rid'),
    )
    op.create_index('instances_due', 'instances', ['due_at'], sqlite_where=sa.text('due_at IS NOT NULL'), postgresql_where=sa.text('due_at IS NOT NULL'))
    op.create_index('instances_running', 'instances', ['rid'], sqlite_where=sa.text("wanted = 'RUNNING' AND observed = 'RUNNING'"), postgresql_where=sa.text("wanted = 'RUNNING' AND observed = 'RUNNING'"))
    op.create_index('instances_stop', 'instances', ['stop_at'], sqlite_where=sa.text('stop_at IS NOT NULL'), postgresql_where=sa.text('stop_at IS NOT NULL'))
    op.create_table('notebook_tags',
    sa.Column('rid', NUMBER, nullable=False),
    sa.Column('key', TEXT, nullable=False),
    sa.Column('value', TEXT, nullable=False),
    sa.ForeignKeyConstraint(['rid'], ['notebooks.rid'], ),
    sa.PrimaryKeyConstraint('rid', 'key'),
    )
    op.create_index('notebook_tags_by_key', 'notebook_tags', ['key', 'value', 'rid'])


def _create_counters() -> None:
    op.create_table('count_by_status',
    sa.Column('project_no', NUMBER, autoincrement=False, nullable=False),
    sa.Column('feature', NUMBER, autoincrement=False, nullable=False),
    sa.Column('status', NUMBER, autoincrement=False, nullable=False),
    sa.Column('total', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('project_no', 'feature', 'status'),
    )
    op.create_table('count_by_pool',
    sa.Column('project_no', NUMBER, autoincrement=False, nullable=False),
    sa.Column('feature', NUMBER, autoincrement=False, nullable=False),
    sa.Column('status', NUMBER, autoincrement=False, nullable=False),
    sa.Column('pool_no', NUMBER, autoincrement=False, nullable=False),
    sa.Column('total', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('project_no', 'feature', 'status', 'pool_no'),
    )
    op.create_table('count_by_workspace',
    sa.Column('project_no', NUMBER, autoincrement=False, nullable=False),
    sa.Column('feature', NUMBER, autoincrement=False, nullable=False),
    sa.Column('status', NUMBER, autoincrement=False, nullable=False),
    sa.Column('workspace_no', NUMBER, autoincrement=False, nullable=False),
    sa.Column('total', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('project_no', 'feature', 'status', 'workspace_no'),
    )


def _create_records() -> None:
    op.create_table('idempotency_keys',
    sa.Column('project_no', NUMBER, nullable=False),
    sa.Column('user_no', NUMBER, nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('notebook_id', sa.String(length=36), nullable=False),
    sa.Column('create_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['project_no'], ['projects.no'], ),
    sa.ForeignKeyConstraint(['user_no'], ['users.no'], ),
    sa.PrimaryKeyConstraint('project_no', 'user_no', 'key'),
    )
    op.create_table('audit',
    sa.Column('no', NUMBER, nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('project_id', sa.Text(), nullable=False),
    sa.Column('notebook_id', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('event', sa.Text(), nullable=False),
    sa.Column('before', sa.Text()),
    sa.Column('after', sa.Text()),
    sa.Column('reason', sa.Text()),
    sa.Column('request_id', sa.Text()),
    sa.PrimaryKeyConstraint('no'),
    )
    op.create_index('audit_by_notebook', 'audit', ['notebook_id', 'no'])
    op.create_table('settings',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('key'),
    )
