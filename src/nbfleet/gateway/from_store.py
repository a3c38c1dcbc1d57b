"""The gateway's one question, answered from the store: which instance, and may this caller in?

Nothing is remembered between questions, so that a stop, a new start or a revoked token counts at once.
"""

import hmac
import re

from nbfleet.domain.lifecycle import Status, status_of
from nbfleet.domain.notebook import Notebook
from nbfleet.gateway.resolve import Credentials, Refusal, Refused, Resolve, Upstream
from nbfleet.store import identity, notebooks, workspaces
from nbfleet.store.database import Connection, Database, Unavailable
from nbfleet.store.keyring import Keyring
from nbfleet.store.notebooks import Stored

_ID = re.compile(r"/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:/|\Z)")


def resolver(database: Database, keyring: Keyring) -> Resolve:
    async def resolve(_host: str, path: str, credentials: Credentials) -> Upstream | Refusal:
        match = _ID.match(path)
        if match is None:
            return Refusal(Refused.NOT_FOUND)
        try:
            found = await database.read(_find, match[1])
        except Unavailable:
            return Refusal(Refused.UNAVAILABLE)
        if found is None:
            return Refusal(Refused.NOT_FOUND)
        return _admit(keyring, found.notebook, credentials)

    return resolve


def _find(connection: Connection, notebook_id: str) -> Stored | None:
    """The notebook, unless its owner may no longer use anything in its project, or in its workspace."""
    found = notebooks.find(connection, notebook_id)
    if found is None:
        return None
    owner = identity.user(connection, id=found.notebook.owner_id)
    if owner is None or not owner.enabled:
        return None
    project_id = found.notebook.project_id
    role = identity.roles(connection, owner.no).get(project_id)
    if role is None:
        return None
    granted = workspaces.granted(connection, owner.no, {project_id: role}).get(project_id)
    return found if granted is None or found.notebook.workspace_id in granted else None


def _admit(keyring: Keyring, notebook: Notebook, credentials: Credentials) -> Upstream | Refusal:
    if not _proves(keyring, notebook, credentials):
        return Refusal(Refused.UNAUTHORIZED)
    status = status_of(notebook)
    if status is Status.DELETED:
        return Refusal(Refused.NOT_FOUND, verified=True)
    if status is not Status.RUNNING or not notebook.endpoint:
        return Refusal(Refused.NOT_RUNNING, status=status.value)
    return Upstream(
        endpoint=notebook.endpoint,
        secret=keyring.instance_secret(notebook.id, notebook.generation),
        cookie=keyring.gateway_cookie(notebook.id, notebook.generation),
        notebook_id=notebook.id,
    )


def _proves(keyring: Keyring, notebook: Notebook, credentials: Credentials) -> bool:
    """Whether the credentials are those of this start; those of an earlier one open nothing."""
    if credentials.token is not None:
        expected = keyring.notebook_token(notebook.id, notebook.generation)
        return _same(credentials.token, expected)
    if credentials.cookie is not None:
        return _same(credentials.cookie, keyring.gateway_cookie(notebook.id, notebook.generation))
    return False


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
