"""People and their credentials: what is kept of a secret, and what ends with whom."""

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nbfleet import first_start
from nbfleet.domain.access import Principal, Role
from nbfleet.services import identity as services
from nbfleet.services.context import Context
from nbfleet.settings import Settings
from nbfleet.store import idempotency, identity, keyring, migrate
from nbfleet.store.database import Conflict, Connection, Database, open_engine
from nbfleet.store.directory import Directory
from nbfleet.wire.errors import ApiError
from support import fleet
from support.postgres import program

NOW = fleet.NOW
ANNA = Principal(fleet.OWNER, "Anna", "d" * 32, "domain", dict.fromkeys(fleet.PROJECTS, Role.MEMBER))


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    with fleet.opened(store_url) as opened:
        yield opened


@pytest.fixture
def context(database: Database) -> Context:
    return Context(database, Directory(), fleet.KEYRING, Settings(), fleet.Clock(), lambda: None)


def number(connection: Connection, user_id: str = fleet.OWNER) -> int:
    found = identity.user(connection, id=user_id)
    assert found is not None
    return found.no


def project_number(connection: Connection, place: int = 0) -> int:
    found = identity.project(connection, id=fleet.PROJECTS[place])
    assert found is not None
    return found.no


def everything(url: str) -> bytes:
    """Whatever can be found at rest: the files of SQLite with the log, or a dump of PostgreSQL."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        files = sorted(path.parent.glob(f"{path.name}*"))
        assert [file.name for file in files] == ["store.db", "store.db-shm", "store.db-wal"]
        return b"".join(file.read_bytes() for file in files)
    dump = [program("pg_dump"), "--inserts", url]
    return subprocess.run(dump, check=True, capture_output=True, env=os.environ).stdout


def forms(secret: str) -> list[bytes]:
    """The secret as text, and as the hexadecimal digits a dump has for binary columns."""
    return [secret.encode(), secret.encode().hex().encode()]


def test_no_secret_is_found_in_the_database(store_url: str, database: Database, context: Context) -> None:
    async def issue() -> dict[str, str]:
        project = await database.read(services.the_project, fleet.PROJECTS[0])
        password = "correct-horse-battery"
        user = await database.write(
            services.add_user, context, "somebody-new", project, Role.MEMBER, password
        )
        key = await database.write(services.add_key, context, user)
        login = await database.write(services.new_login_link, context, "somebody-new")
        unused = await database.write(services.new_login_link, context, "somebody-new")
        by_login = await services.log_in(context, login)
        assert by_login is not None
        issued = await services.issue_token(
            context, password, user_id=user.id, user_name=None, account=None,
            project_id=project.id, project_name=None,
        )  # fmt: skip
        made = fleet.running(owner_id=user.id)
        await database.write(fleet.add, made)
        return {
            "password": password,
            "secret key": key.secret_key,
            "used login ticket": login,
            "unused login ticket": unused,
            "token by login": by_login,
            "token by password": issued.token,
            "notebook token": fleet.KEYRING.notebook_token(made.id, made.generation),
            "instance secret": fleet.KEYRING.instance_secret(made.id, made.generation),
            "cookie": fleet.KEYRING.gateway_cookie(made.id, made.generation),
            "name, which is no secret": "somebody-new",
        }

    secrets = asyncio.run(issue())
    rest = everything(store_url)
    found = [name for name, secret in secrets.items() if any(form in rest for form in forms(secret))]
    assert found == ["name, which is no secret"]


def test_a_token_proves_its_user_and_project(database: Database) -> None:
    digest = keyring.digest("token")

    def write(connection: Connection) -> None:
        identity.add_token(connection, digest, number(connection), project_number(connection), NOW + 5)
        identity.add_token(connection, b"free", number(connection), None, NOW + 6)

    database.write_now(write)
    assert database.read_now(identity.token, digest) == identity.Token(ANNA, fleet.PROJECTS[0], NOW + 5)
    assert database.read_now(identity.token, b"free") == identity.Token(ANNA, None, NOW + 6)
    assert database.read_now(identity.token, b"unknown") is None
    database.write_now(identity.delete_expired, NOW + 5)
    assert database.read_now(identity.token, digest) is None
    assert database.read_now(identity.token, b"free") == identity.Token(ANNA, None, NOW + 6)


def test_a_disabled_user_is_nobody_and_its_tokens_do_not_come_back(
    database: Database, context: Context
) -> None:
    def write(connection: Connection) -> None:
        no = number(connection)
        identity.add_token(connection, b"t", no, project_number(connection), NOW + 5)
        identity.add_login_link(connection, b"l", no, project_number(connection), NOW + 5)
        identity.add_key(connection, "AK", no, fleet.KEYRING.seal("secret"), NOW)
        identity.enable_user(connection, no, False)

    database.write_now(write)
    assert database.read_now(identity.token, b"t") is None
    assert database.read_now(identity.principal_of, database.read_now(number)) is None
    assert asyncio.run(services.access_key(context, "AK")) is None
    assert database.write_now(identity.take_login_link, b"l", NOW) is None
    with pytest.raises(services.Refused):
        database.write_now(services.new_login_link, context, "Anna")

    database.write_now(identity.enable_user, database.read_now(number), True)
    assert database.read_now(identity.token, b"t") is None
    assert database.write_now(identity.take_login_link, b"l", NOW) is None
    assert asyncio.run(services.access_key(context, "AK")) == services.ProvenKey("secret", ANNA)


def test_a_disabled_key_proves_nothing(database: Database, context: Context) -> None:
    def write(connection: Connection) -> None:
        identity.add_key(connection, "AK", number(connection), fleet.KEYRING.seal("secret"), NOW)

    database.write_now(write)
    assert asyncio.run(services.access_key(context, "AK")) == services.ProvenKey("secret", ANNA)
    assert asyncio.run(services.access_key(context, "ak")) is None
    database.write_now(identity.enable_key, "AK", False)
    assert asyncio.run(services.access_key(context, "AK")) is None
    database.write_now(identity.enable_key, "AK", True)
    database.write_now(identity.delete_key, "AK")
    assert asyncio.run(services.access_key(context, "AK")) is None


def test_memberships_and_projects_change_what_a_credential_reaches(database: Database) -> None:
    def write(connection: Connection) -> None:
        identity.add_token(connection, b"t", number(connection), project_number(connection), NOW + 5)

    def roles(connection: Connection) -> dict[str, Role]:
        found = identity.token(connection, b"t")
        assert found is not None
        return dict(found.principal.roles)

    def change(connection: Connection, place: int, role: Role | None) -> dict[str, Role]:
        identity.set_role(connection, number(connection), project_number(connection, place), role)
        return roles(connection)

    def enable(connection: Connection, enabled: bool) -> dict[str, Role]:
        identity.enable_project(connection, project_number(connection), enabled)
        return roles(connection)

    first, second = fleet.PROJECTS
    database.write_now(write)
    assert database.write_now(change, 0, Role.ADMINISTRATOR) == {
        first: Role.ADMINISTRATOR, second: Role.MEMBER,
    }  # fmt: skip
    assert database.write_now(change, 1, None) == {first: Role.ADMINISTRATOR}
    assert database.write_now(enable, False) == {}
    assert database.write_now(enable, True) == {first: Role.ADMINISTRATOR}
    assert database.write_now(change, 0, None) == {}
    # Others are not touched.
    other = database.read_now(number, fleet.OTHER)
    assert database.read_now(identity.roles, other) == dict(ANNA.roles)


def test_a_login_link_opens_once_and_in_time(database: Database) -> None:
    def write(connection: Connection, digest: bytes) -> None:
        identity.add_login_link(connection, digest, number(connection), project_number(connection), NOW + 5)

    expected = (database.read_now(number), database.read_now(project_number))
    for digest in (b"once", b"late", b"race"):
        database.write_now(write, digest)
    take = identity.take_login_link
    assert [database.write_now(take, b"once", NOW + 4) for _ in range(2)] == [expected, None]
    assert [database.write_now(take, b"late", NOW + at) for at in (5, 4)] == [None, None]

    async def race() -> list[object]:
        return await asyncio.gather(*(database.write(take, b"race", NOW) for _ in range(4)))

    assert sorted(asyncio.run(race()), key=str) == [expected, None, None, None]


def test_names_are_given_once(database: Database) -> None:
    with pytest.raises(identity.Taken):
        database.write_now(identity.add_user, "z" * 32, "Anna", "d" * 32, "scrypt:00:00", NOW)
    with pytest.raises(identity.Taken):
        database.write_now(identity.add_project, "z" * 32, "p", "d" * 32, NOW)
    database.write_now(identity.add_user, "z" * 32, "ANNA", "d" * 32, "scrypt:00:00", NOW)


@pytest.mark.parametrize("password", ["", "geheim", "密码", "x" * 2000])
def test_passwords(password: str) -> None:
    hashed = keyring.hash_password(password)
    assert keyring.password_matches(password, hashed)
    assert not keyring.password_matches(password + "x", hashed)
    assert keyring.hash_password(password) != hashed


def test_a_wrong_password_an_unknown_and_a_disabled_user_look_the_same(
    database: Database, context: Context
) -> None:
    def write(connection: Connection) -> None:
        project = services.the_project(connection, fleet.PROJECTS[0])
        for name in ("enabled", "disabled"):
            services.add_user(connection, context, name, project, Role.MEMBER, "right")
        identity.enable_user(connection, services.the_user(connection, "disabled").no, False)

    database.write_now(write)

    def refused(name: str, password: str, project: str | None = None) -> tuple[int, str, str]:
        with pytest.raises(ApiError) as caught:
            asyncio.run(
                services.issue_token(
                    context, password, user_id=None, user_name=name, account=None,
                    project_id=project, project_name=None,
                )
            )  # fmt: skip
        return caught.value.status, caught.value.code, str(caught.value)

    answers = {
        refused("enabled", "wrong"),
        refused("nobody", "right"),
        refused("disabled", "right"),
        refused("enabled", "right", fleet.PROJECTS[1]),
    }
    assert len(answers) == 1


def sign_in(context: Context, name: str, password: str) -> bool:
    try:
        asyncio.run(
            services.issue_token(
                context, password, user_id=None, user_name=name, account=None,
                project_id=None, project_name=None,
            )
        )  # fmt: skip
    except ApiError as refusal:
        if refusal.status != 401:
            raise
        return False
    return True


def new_user(database: Database, context: Context, name: str) -> int:
    def write(connection: Connection) -> int:
        project = services.the_project(connection, fleet.PROJECTS[0])
        return services.add_user(connection, context, name, project, Role.MEMBER, "right").no

    return database.write_now(write)


def test_login_links_end_with_the_password_and_with_the_sessions(
    database: Database, context: Context
) -> None:
    number = new_user(database, context, "linked")
    user_id = database.read_now(services.the_user, "linked").id

    def linked() -> str:
        return database.write_now(services.new_login_link, context, "linked")

    async def let_in(*tickets: str) -> list[bool]:
        return [await services.log_in(context, ticket) is not None for ticket in tickets]

    kept, first = linked(), linked()
    assert asyncio.run(let_in(first, first)) == [True, False]
    database.write_now(identity.set_password, number, keyring.hash_password("new"))
    second = linked()
    assert asyncio.run(let_in(kept, second)) == [False, True]
    third = linked()
    asyncio.run(services.end_sessions(context, user_id))
    assert asyncio.run(let_in(third)) == [False]


def test_nobody_gets_in_with_what_was_right_when_it_was_checked(
    database: Database, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = new_user(database, context, "late")
    matches, meanwhile = keyring.password_matches, list[Callable[[], None]]()

    def slow(password: str, hashed: str) -> bool:
        found = matches(password, hashed)
        for change in meanwhile:
            change()
        return found

    monkeypatch.setattr(keyring, "password_matches", slow)
    assert sign_in(context, "late", "right")
    new = keyring.hash_password("new")
    meanwhile[:] = [lambda: database.write_now(identity.set_password, number, new)]
    assert not sign_in(context, "late", "right")
    meanwhile[:] = [lambda: database.write_now(identity.enable_user, number, False)]
    assert not sign_in(context, "late", "new")
    meanwhile.clear()
    database.write_now(identity.enable_user, number, True)
    assert sign_in(context, "late", "new")


def test_ones_own_password_is_not_changed_over_one_that_was_reset_meanwhile(
    database: Database, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = new_user(database, context, "reset")
    user_id, matches = database.read_now(services.the_user, "reset").id, keyring.password_matches
    given = keyring.hash_password("given")

    def slow(password: str, hashed: str) -> bool:
        found = matches(password, hashed)
        database.write_now(identity.set_password, number, given)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(keyring, "password_matches", slow)
        assert asyncio.run(services.change_own_password(context, user_id, "right", "own")) is False
    assert [sign_in(context, "reset", word) for word in ("own", "given")] == [False, True]


def test_what_is_derived_differs_for_every_start_and_purpose() -> None:
    ring = fleet.KEYRING
    derived = [
        make(notebook, generation)
        for make in (ring.notebook_token, ring.gateway_cookie, ring.instance_secret)
        for notebook in ("a", "b")
        for generation in (1, 2, 11)
    ]
    assert len(set(derived)) == 18
    assert ring.notebook_token("a", 1) == ring.notebook_token("a", 1)
    assert ring.open(ring.seal("密码")) == "密码"


def test_idempotency_keys_belong_to_a_user_in_a_project(database: Database) -> None:
    entry = idempotency.Entry(keyring.digest("body"), fleet.notebook().id)
    first, second = fleet.PROJECTS

    def write(connection: Connection, one: idempotency.Entry, at: int = NOW) -> None:
        idempotency.add(connection, Directory(), first, fleet.OWNER, "key", one, at)

    database.write_now(write, entry)
    find = idempotency.find
    assert database.read_now(find, first, fleet.OWNER, "key") == entry
    for project, user, key in (
        (second, fleet.OWNER, "key"), (first, fleet.OTHER, "key"), (first, fleet.OWNER, "KEY"),
        ("r", fleet.OWNER, "key"), (first, "nobody", "key"),
    ):  # fmt: skip
        assert database.read_now(find, project, user, key) is None
    with pytest.raises(Conflict):
        database.write_now(write, replace(entry, notebook_id="another"))
    database.write_now(idempotency.forget, NOW)
    assert database.read_now(find, first, fleet.OWNER, "key") == entry
    database.write_now(idempotency.forget, NOW + 1)
    assert database.read_now(find, first, fleet.OWNER, "key") is None
    database.write_now(write, replace(entry, notebook_id="another"))


@pytest.mark.parametrize("gone", ["disabled", "another name"])
def test_a_service_starts_without_its_first_administrator(
    database_url: str, tmp_path: Path, gone: str
) -> None:
    """Whoever runs the service may have disabled it, or changed the setting later on."""
    engine = open_engine(database_url)
    migrate.upgrade(engine)
    engine.dispose()
    settings = Settings(data_dir=str(tmp_path), administrator="root")

    def disable(connection: Connection) -> None:
        identity.enable_user(connection, services.the_user(connection, "root").no, False)

    with fleet.opened(database_url) as database:
        first = Context(database, Directory(), fleet.KEYRING, settings, fleet.Clock(), lambda: None)
        ticket = asyncio.run(first_start.prepare(first, "http://127.0.0.1:1"))
        assert ticket is not None
        assert asyncio.run(services.log_in(first, ticket)) is not None
        if gone == "disabled":
            database.write_now(disable)
        later = replace(first, settings=Settings(data_dir=str(tmp_path), administrator="boss"))
        again = first if gone == "disabled" else later
        assert asyncio.run(first_start.prepare(again, "http://127.0.0.1:1")) is None
        names = [user.name for user in database.read_now(identity.list_users)]
        assert names == ["root"]
