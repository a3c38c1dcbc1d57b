"""Who gets how far on the pages of administration, over HTTP, with real sessions: nobody gets from one
project into another."""

import re
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from structlog.testing import capture_logs

from nbfleet.domain.access import Role
from nbfleet.services import identity
from nbfleet.store import identity as people
from nbfleet.store import roles as stored_roles
from support.client import Caller
from support.hosted import PASSWORD, Hosted
from support.signed_in import SignedIn, sign_in

SECTIONS = ("users", "keys", "roles", "quotas")


def get(who: SignedIn, path: str) -> tuple[int, str]:
    answer = who.get(path)
    return answer.status, answer.raw.decode()


def post(who: SignedIn, path: str, **fields: str) -> tuple[int, str]:
    answer = who.post(path, fields)
    return answer.status, answer.raw.decode()


@dataclass
class Scene:
    """Two projects: the first is that of the service, `rival` administers the second. `both` is a member of
    the two, `own` of the second alone, and each of them has a key."""

    hosted: Hosted
    rival: SignedIn
    both: Caller
    own: Caller
    other: str

    def page(self, path: str, project: str | None = None) -> str:
        return f"/console/{project or self.other}/admin/{path}"

    def outline(self) -> object:
        """All that lets anybody in, or says what they may do."""
        dump = self.hosted.dump()
        return {name: dump[name] for name in ("users", "memberships", "roles", "access_keys", "login_links")}


@pytest.fixture
def scene(hosted: Hosted, request: pytest.FixtureRequest) -> Scene:
    tail = str(abs(hash(request.node.nodeid)))[:6]
    first, second = hosted.settings.project, f"second-{tail}"
    other = hosted.project(second)
    rival = hosted.user(f"rival-{tail}", second, Role.ADMINISTRATOR)
    both = hosted.user(f"both-{tail}", first)
    hosted.leave(both, second, Role.MEMBER)
    own = hosted.user(f"own-{tail}", second)
    return Scene(hosted, sign_in(hosted, rival), both, own, other)


def test_others_than_administrators_get_no_page(scene: Scene, member: SignedIn) -> None:
    nobody = SignedIn(scene.hosted, member.caller, "no-session-at-all")
    before = scene.outline()
    for section in SECTIONS:
        path = scene.page(section, member.caller.project_id)
        status, text = get(member, path)
        assert (status, "You may not do this" in text) == (403, True)
        assert get(scene.rival, path)[0] == 403
        assert get(nobody, path)[0] == 303
    changes = {
        "users": {"name": "x", "role": "administrator"},
        "roles": {"name": "x", "action": "*"},
        "roles/member": {},
        "quotas": {"of": "project:", "resource": "notebook.count", "value": "1"},
        f"keys/{scene.both.access_key}": {"do": "delete"},
    }
    for path, fields in changes.items():
        address = scene.page(path, member.caller.project_id)
        answers = [post(one, address, **fields)[0] for one in (member, scene.rival, nobody)]
        assert answers == [403, 403, 303]
    one = scene.page(f"users/{scene.both.user_id}", member.caller.project_id)
    for do in ("role", "password", "link", "key", "disable", "delete"):
        assert post(member, one, do=do, role="none", typed=scene.both.name)[0] == 403
        assert post(scene.rival, one, do=do, role="none", typed=scene.both.name)[0] == 403
    assert get(member, f"/console/{member.caller.project_id}/")[1].count("/admin/users") == 0
    assert scene.outline() == before


def test_a_member_of_a_foreign_project_too_is_reached_in_ones_own_only(scene: Scene) -> None:
    before = scene.outline()
    one = scene.page(f"users/{scene.both.user_id}")
    for do in ("password", "link", "key", "disable", "delete"):
        status, text = post(scene.rival, one, do=do, typed=scene.both.name)
        assert (status, "projects that you do not administer" in text) == (403, True)
    key = scene.page(f"keys/{scene.both.access_key}")
    assert [post(scene.rival, key, do=do)[0] for do in ("enable", "disable", "delete")] == [404] * 3
    assert scene.outline() == before
    assert scene.both.access_key not in get(scene.rival, scene.page("keys"))[1]
    assert scene.both.access_key not in get(scene.rival, one)[1]
    assert scene.own.access_key in get(scene.rival, scene.page("keys"))[1]
    # The role in the project at hand is the administrator's to give and to take.
    assert post(scene.rival, one, do="role", role="administrator")[0] == 303
    assert post(scene.rival, one, do="role", role="none")[0] == 303
    roles = scene.hosted.database.read_now(
        lambda c: people.roles(c, identity.the_user(c, scene.both.name).no)
    )
    assert {project: role.name for project, role in roles.items()} == {scene.both.project_id: "member"}


def test_who_is_no_member_is_not_there(scene: Scene) -> None:
    before = scene.outline()
    stranger = scene.hosted.administrator()
    one = scene.page(f"users/{stranger.user_id}")
    assert get(scene.rival, one)[0] == 404
    for do in ("role", "password", "link", "key", "disable", "enable"):
        assert post(scene.rival, one, do=do, role="member")[0] == 404
    assert post(scene.rival, scene.page(f"keys/{stranger.access_key}"), do="delete")[0] == 404
    assert get(scene.rival, scene.page(f"quotas?of=user:{stranger.user_id}"))[0] == 404
    assert stranger.user_id not in get(scene.rival, scene.page("users"))[1]
    assert scene.outline() == before


def test_a_disabled_project_counts_as_foreign(scene: Scene) -> None:
    hosted = scene.hosted
    closed = hosted.project(f"closed of {scene.own.name}")
    hosted.leave(scene.own, closed, Role.MEMBER)
    number = hosted.database.read_now(identity.the_project, closed).no
    hosted.database.write_now(people.enable_project, number, False)
    status, _ = post(scene.rival, scene.page(f"users/{scene.own.user_id}"), do="password")
    assert status == 403


def test_who_administers_every_project_of_a_user_reaches_it_wholly(scene: Scene) -> None:
    status, text = post(scene.rival, scene.page(f"users/{scene.own.user_id}"), do="password")
    assert status == 200
    found = re.search(r'<pre id="secret-1" tabindex="0">([^<]+)</pre>', text)
    assert found is not None
    user = scene.hosted.database.read_now(identity.the_user, scene.own.name)
    assert identity.keyring.password_matches(found.group(1), user.password_hash)


def test_roles_of_other_projects_are_neither_seen_nor_changed(scene: Scene) -> None:
    hosted, name = scene.hosted, f"watch-{scene.own.name}"
    role = Role(name, frozenset({"modelarts:notebook:get"}))
    hosted.database.write_now(stored_roles.put, role)
    assert name in get(scene.rival, scene.page("roles"))[1]  # Nobody's yet.
    hosted.leave(scene.both, hosted.settings.project, role)
    before = scene.outline()
    assert name not in get(scene.rival, scene.page("roles"))[1]
    own = scene.page(f"users/{scene.own.user_id}")
    text = post(scene.rival, own, do="role", role=name)[1]
    assert f"There is no role {name} that you can give." in text
    text = post(scene.rival, scene.page(f"roles/{quote(name)}"))[1]
    assert f"There is a role {name} in projects that you do not administer." in text
    text = post(scene.rival, scene.page("roles"), name=name, action="*")[1]
    assert f"There is a role {name} in projects that you do not administer." in text
    assert scene.outline() == before


def test_a_role_is_unmade_only_where_it_was_made(scene: Scene) -> None:
    hosted, tail = scene.hosted, scene.own.name
    chief = sign_in(hosted, hosted.administrator())
    mine, theirs, free = f"mine-{tail}", f"theirs-{tail}", f"free-{tail}"
    get_only = {"action": "modelarts:notebook:get"}
    assert post(scene.rival, scene.page("roles"), name=mine, **get_only)[0] == 303
    assert post(chief, f"{chief.base}/admin/roles", name=theirs, **get_only)[0] == 303
    hosted.database.write_now(stored_roles.put, Role(free, frozenset(get_only.values())))
    before, page = scene.outline(), get(scene.rival, scene.page("roles"))[1]
    assert [f"roles/{name}" in page for name in (mine, theirs, free)] == [True, False, False]
    assert [f"<td>{name}</td>" in page for name in (mine, theirs, free)] == [True, False, True]
    for name in (theirs, free):
        told = post(scene.rival, scene.page(f"roles/{name}"))[1]
        assert f"The role {name} was not made in a project that you administer." in told
        told = post(scene.rival, scene.page("roles"), name=name, action="*")[1]
        assert f"There is a role {name} already." in told
    own = scene.page(f"users/{scene.own.user_id}")
    assert (
        f"There is no role {theirs} that you can give." in post(scene.rival, own, do="role", role=theirs)[1]
    )
    assert scene.outline() == before
    assert post(scene.rival, own, do="role", role=mine)[0] == 303
    assert f"1 memberships are of the role {mine}" in post(scene.rival, scene.page(f"roles/{mine}"))[1]
    assert post(scene.rival, own, do="role", role=free)[0] == 303
    assert post(scene.rival, scene.page(f"roles/{mine}"))[0] == 303
    assert mine not in [row[0] for row in hosted.dump("roles")["roles"]]


def test_nobody_takes_their_own_rights_and_a_demoted_one_has_none(scene: Scene) -> None:
    me = scene.hosted.database.read_now(identity.the_user, scene.own.name.replace("own", "rival"))
    one = scene.page(f"users/{me.id}")
    before = scene.outline()
    for do in ("role", "disable", "delete"):
        text = post(scene.rival, one, do=do, role="none", typed=me.name)[1]
        assert "Nobody can take their own rights here" in text
    assert (
        "Your own password changes where you give the present one" in post(scene.rival, one, do="password")[1]
    )
    for do in ("link", "key"):
        for given in ({}, {"password": "a guess"}):
            assert "This is not your password." in post(scene.rival, one, do=do, **given)[1]
    assert scene.outline() == before
    shown = [post(scene.rival, one, do=do, password=PASSWORD)[1] for do in ("link", "key")]
    assert [len(re.findall(r'id="secret-\d"', page)) for page in shown] == [1, 2]
    # At once, although a session is remembered for some seconds.
    assert get(scene.rival, scene.page("users"))[0] == 200
    number = scene.hosted.database.read_now(identity.the_project, scene.other).no
    scene.hosted.database.write_now(people.set_role, me.no, number, Role.MEMBER)
    assert post(scene.rival, scene.page("users"), name="made-too-late", role="administrator")[0] == 403
    assert (
        post(scene.rival, scene.page("quotas"), of="project:", resource="notebook.count", value="1")[0] == 403
    )


def test_what_a_service_refuses_is_marked_as_english_and_what_a_page_does_is_not(scene: Scene) -> None:
    alert = re.compile(r'role="alert"( lang="en")?>([^<]+)<')
    path, fields = scene.page("users"), {"name": scene.own.name, "role": "member"}
    page = scene.rival.post(path, fields, Accept_Language="zh-CN").raw.decode()
    assert alert.findall(page) == [(' lang="en"', f"There is a user {scene.own.name} already.")]
    fields = {"of": "project:", "resource": "notebook.count", "value": "many"}
    page = scene.rival.post(scene.page("quotas"), fields, Accept_Language="zh-CN").raw.decode()
    assert alert.findall(page) == [("", "请输入大于 0 的整数。")]


def test_each_change_of_a_quota_is_logged_and_limits_of_workspaces_are_set_by_the_operation(
    scene: Scene,
) -> None:
    path, place = scene.page("quotas"), "workspace:0"
    quota = {"resource": "notebook.count"}
    with capture_logs() as lines:
        for of in ("project:", f"user:{scene.own.user_id}", place):
            assert post(scene.rival, path, of=of, value="3", **quota)[0] == 303
        assert post(scene.rival, path, of="project:", remove="yes", **quota)[0] == 303
        assert post(scene.rival, path, of=place, remove="yes", **quota)[0] == 303
    told = [(line["did"], line["to"]) for line in lines if line["event"] == "administration"]
    assert told == [
        ("set quota notebook.count 3", "project:"),
        ("set quota notebook.count 3", f"user:{scene.own.user_id}"),
        ("remove quota notebook.count", "project:"),
    ]
    number = scene.hosted.database.read_now(identity.the_project, scene.other).no
    rows = [row[1:5] for row in scene.hosted.dump("quotas")["quotas"] if row[0] == number]
    assert [(row[0], row[2], row[3]) for row in rows] == [
        ("user", "notebook.count", 3),
        ("workspace", "notebook.count", -1),
    ]


def test_the_menu_leads_to_the_first_section_that_is_open(scene: Scene) -> None:
    hosted, tail = scene.hosted, scene.own.name

    def seen(action: str) -> tuple[list[str], list[int]]:
        """The links of the menu, and what each section answers."""
        name = f"{action.replace(':', '-').lower()}-{tail}"
        role = Role(name, frozenset({action}))
        hosted.database.write_now(stored_roles.put, role)
        who = sign_in(hosted, hosted.user(name, hosted.settings.project, role))
        menu = re.findall(rf'href="{who.base}/admin/(\w+)"', who.get(f"{who.base}/account").raw.decode())
        sections = ("users", "workspaces", "images", "pools", "flavors")
        return menu, [who.get(f"{who.base}/admin/{one}").status for one in sections]

    assert seen("modelarts:workspace:list") == (["workspaces"], [403, 200, 403, 403, 403])
    assert seen("modelarts:image:list") == (["images"], [403, 403, 200, 403, 403])
    assert seen("modelarts:notebook:list") == (["pools"], [403, 403, 403, 200, 200])
    assert seen("modelarts:workspace:delete") == ([], [403] * 5)
