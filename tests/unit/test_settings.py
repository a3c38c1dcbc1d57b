"""Where settings come from, which source wins, and what is refused."""

import re
from pathlib import Path

import msgspec
import pytest

from nbfleet.settings import (
    DEFAULT_FLAVORS,
    BadSettings,
    FlavorSettings,
    LeaseSettings,
    ObjectStorageSettings,
    SecretSettings,
    Settings,
    ShareSettings,
    api_url,
    default_data_dir,
    gateway_url,
    key_file,
    load,
    made_share_id,
    scheme,
    share_id,
)

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def written(directory: Path, text: str | bytes) -> Path:
    path = directory / "nbfleet.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_defaults() -> None:
    assert load({}, {}) == Settings(data_dir=str(default_data_dir()))
    assert Settings().lease == LeaseSettings(minimum=3_600_000, maximum=259_200_000)
    assert Settings().flavors == DEFAULT_FLAVORS


@pytest.mark.parametrize(
    ("file", "environment", "command_line", "expected"),
    [
        (False, False, False, 8080),
        (True, False, False, 1),
        (True, True, False, 2),
        (True, True, True, 3),
        (False, True, True, 3),
        (True, False, True, 3),
        (False, True, False, 2),
    ],
)
def test_the_file_then_the_environment_then_the_command_line(
    tmp_path: Path, file: bool, environment: bool, command_line: bool, expected: int
) -> None:
    settings = load(
        {"port": 3 if command_line else None},
        {"NBFLEET_PORT": "2"} if environment else {},
        written(tmp_path, "port = 1") if file else None,
    )
    assert settings.port == expected


def test_a_whole_file(tmp_path: Path) -> None:
    text = f"""
    data_dir = "{tmp_path}"
    runtime = "simulated"
    gateway = false
    trusted_proxies = ["10.0.0.1", "10.0.0.2"]
    [lease]
    minimum = 1000
    [[flavors]]
    id = "small"
    vcpus = 1
    memory = 512
    """
    assert load({}, {}, written(tmp_path, text)) == Settings(
        data_dir=str(tmp_path),
        runtime="simulated",
        gateway=False,
        trusted_proxies=["10.0.0.1", "10.0.0.2"],
        lease=LeaseSettings(minimum=1000),
        flavors=(FlavorSettings(id="small", vcpus=1, memory=512),),
    )


def test_names_in_the_environment(tmp_path: Path) -> None:
    environment = {
        "NBFLEET_DATA_DIR": str(tmp_path),
        "NBFLEET_LEASE__MINIMUM": "5",
        "NBFLEET_LEASE__MAXIMUM": "6",
        "NBFLEET_TRUSTED_PROXIES": "10.0.0.1,10.0.0.2",
        "NBFLEET_GATEWAY": "false",
        "NBFLEET_REVEAL_TO_ADMIN": "1",
        "NBFLEET_CREDENTIALS": "of the command line",
        "NBFLEET_CONFIG": "of the command line",
        "NBFLEET_INSTANCE": "of the command line",
        "PORT": "1",
        "nbfleet_port": "2",
    }
    assert load({}, environment) == Settings(
        data_dir=str(tmp_path),
        lease=LeaseSettings(minimum=5, maximum=6),
        trusted_proxies=["10.0.0.1", "10.0.0.2"],
        gateway=False,
        reveal_to_admin=True,
    )


@pytest.mark.parametrize(
    ("value", "proxies"),
    [("", []), ("10.0.0.1", ["10.0.0.1"]), ("10.0.0.1, 10.0.0.2", ["10.0.0.1", "10.0.0.2"])],
)
def test_lists_in_the_environment(value: str, proxies: list[str]) -> None:
    assert load({}, {"NBFLEET_TRUSTED_PROXIES": value}).trusted_proxies == proxies


def test_a_section_is_put_together_from_all_sources(tmp_path: Path) -> None:
    file = written(tmp_path, "[lease]\nminimum = 10\nmaximum = 20\n")
    assert load({}, {"NBFLEET_LEASE__MAXIMUM": "30"}, file).lease == LeaseSettings(minimum=10, maximum=30)
    assert load({"lease": {"minimum": 15}}, {}, file).lease == LeaseSettings(minimum=15, maximum=20)


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({"NBFLEET_PROT": "1"}, "Bad setting: Object contains unknown field `prot`."),
        ({"NBFLEET_LEASE__MIN": "1"}, "Bad setting: Object contains unknown field `min` - at `$.lease`."),
        ({"NBFLEET_PORT": "65536"}, "Bad setting: Expected `int` <= 65535 - at `$.port`."),
        ({"NBFLEET_PORT": "-1"}, "Bad setting: Expected `int` >= 0 - at `$.port`."),
        ({"NBFLEET_PORT": "http"}, "Bad setting: Expected `int`, got `str` - at `$.port`."),
        ({"NBFLEET_PORT": ""}, "Bad setting: Expected `int`, got `str` - at `$.port`."),
        ({"NBFLEET_GATEWAY": "maybe"}, "Bad setting: Expected `bool`, got `str` - at `$.gateway`."),
        ({"NBFLEET_RUNTIME": "docker"}, "Bad setting: Invalid enum value 'docker' - at `$.runtime`."),
        ({"NBFLEET_PAGE_LIMIT": "0"}, "Bad setting: Expected `int` >= 1 - at `$.page_limit`."),
        ({"NBFLEET_LEASE": "5"}, "Bad setting: Expected `object`, got `str` - at `$.lease`."),
        ({"NBFLEET_PORT__X": "5"}, "Bad setting: Expected `int`, got `object` - at `$.port`."),
        (
            {"NBFLEET_LEASE": "5", "NBFLEET_LEASE__MINIMUM": "1"},
            "Bad setting: NBFLEET_LEASE__MINIMUM does not go together with NBFLEET_LEASE.",
        ),
        ({"NBFLEET_FLAVORS": "small"}, "Bad setting: Expected `array`, got `str` - at `$.flavors`."),
        (
            {"NBFLEET_TLS_KEY": "key.pem"},
            "tls_certificate and tls_key are only useful together.",
        ),
        (
            {"NBFLEET_TLS_CERTIFICATE": "cert.pem"},
            "tls_certificate and tls_key are only useful together.",
        ),
        ({"NBFLEET_LEASE__MAXIMUM": "1"}, "lease.minimum is above lease.maximum."),
    ],
)
def test_what_the_environment_cannot_say(environment: dict[str, str], text: str) -> None:
    with pytest.raises(BadSettings) as refused:
        load({}, environment)
    assert str(refused.value) == text


@pytest.mark.parametrize("order", [1, -1])
def test_a_section_and_its_member_conflict_in_any_order(order: int) -> None:
    names = ["NBFLEET_LEASE", "NBFLEET_LEASE__MINIMUM"][::order]
    with pytest.raises(BadSettings):
        load({}, dict.fromkeys(names, "5"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot = 1", "Bad setting: Object contains unknown field `prot`."),
        ("flavors = []", "flavors is empty: no notebook could be created."),
        ('port = "x"', "Bad setting: Expected `int`, got `str` - at `$.port`."),
        ("host = 5", "Bad setting: Expected `str`, got `int` - at `$.host`."),
        ("data_dir = 5", "Bad setting: Expected `str`, got `int` - at `$.data_dir`."),
        ("lease = 5", "Bad setting: Expected `object`, got `int` - at `$.lease`."),
        (
            '[[flavors]]\nid = "a b"\nvcpus = 1\nmemory = 1',
            "Bad setting: Expected `str` matching regex "
            "'^[A-Za-z0-9._-]{1,256}\\\\Z' - at `$.flavors[0].id`.",
        ),
        (
            '[[flavors]]\nid = "a"\nvcpus = 0\nmemory = 1',
            "Bad setting: Expected `int` >= 1 - at `$.flavors[0].vcpus`.",
        ),
        (
            '[[flavors]]\nid = "a"\nvcpus = 1',
            "Bad setting: Object missing required field `memory` - at `$.flavors[0]`.",
        ),
    ],
)
def test_what_a_file_cannot_say(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadSettings) as refused:
        load({}, {}, written(tmp_path, text))
    assert str(refused.value) == message


def test_two_flavors_of_one_id_are_refused(tmp_path: Path) -> None:
    flavor = '[[flavors]]\nid = "a"\nvcpus = 1\nmemory = 1\n'
    with pytest.raises(BadSettings) as refused:
        load({}, {}, written(tmp_path, flavor * 2))
    assert str(refused.value) == "flavors has the id a twice."


@pytest.mark.parametrize("text", ["port = ", b"\xff = 1", b'host = "\xe4"'])
def test_a_file_that_is_not_toml(tmp_path: Path, text: str | bytes) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadSettings, match=re.escape(f"The configuration file {path} is not TOML: ")):
        load({}, {}, path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path, cause in ((tmp_path / "none", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(BadSettings) as refused:
            load({}, {}, path)
        assert str(refused.value) == f"Cannot read the configuration file {path}: {cause}."


def test_the_data_directory_is_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    directories = {
        "here": str(tmp_path / "here"),
        "~/x": "/home/somebody/x",
        "/srv/nbfleet": "/srv/nbfleet",
        "": "/home/somebody/.local/share/nbfleet",
    }
    assert {given: load({}, {"NBFLEET_DATA_DIR": given}).data_dir for given in directories} == directories
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert load({}, {}).data_dir == "/data/nbfleet"


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("::1", "[::1]"),
        ("2001:db8::5", "[2001:db8::5]"),
        ("nbfleet.example.org", "nbfleet.example.org"),
    ],
)
def test_urls_are_made_of_host_and_port(host: str, shown: str) -> None:
    settings = Settings(host=host)
    assert (api_url(settings, 1), gateway_url(settings, 2)) == (f"http://{shown}:1", f"http://{shown}:2")


def test_public_urls_win_and_lose_their_slash() -> None:
    settings = Settings(
        host="0.0.0.0",
        public_url="https://api.example.org/",
        gateway_public_url="https://lab.example.org/nb/",
    )
    assert api_url(settings, 1) == "https://api.example.org"
    assert gateway_url(settings, 2) == "https://lab.example.org/nb"


def test_a_certificate_with_its_key_makes_it_https() -> None:
    settings = load({"tls_certificate": "c.pem", "tls_key": "k.pem"}, {})
    assert [scheme(Settings()), scheme(settings)] == ["http", "https"]
    assert (api_url(settings, 1), gateway_url(settings, 2)) == ("https://127.0.0.1:1", "https://127.0.0.1:2")


def documented_rows() -> list[list[str]]:
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    return [line.split("|") for line in lines if line.startswith("| `")]


def test_every_setting_is_documented_and_nothing_else() -> None:
    documented = [name for row in documented_rows() for name in re.findall(r"`([^`]+)`", row[1])]
    names = {field.name for field in msgspec.structs.fields(Settings)} - {"lease"}
    names |= {f"lease.{field.name}" for field in msgspec.structs.fields(LeaseSettings)}
    assert sorted(documented) == sorted(names)


def test_documented_defaults_are_the_defaults() -> None:
    """A cell that is nothing but a value must show the one in force; the others are descriptions."""
    shown: dict[str, str] = {}
    for row in documented_rows():
        names, values = re.findall(r"`([^`]+)`", row[1]), row[2].strip().split(", ")
        plain = [value.strip("`") for value in values if re.fullmatch(r"`[^`]+`|[0-9]+", value)]
        if len(plain) == len(names):
            shown |= dict(zip(names, plain, strict=True))
    defaults = msgspec.to_builtins(Settings(data_dir="~/.local/share/nbfleet"))
    defaults |= {f"lease.{name}": value for name, value in defaults["lease"].items()}
    as_text = {name: str(defaults[name]) for name in shown}
    assert shown == {
        name: text.lower() if text in ("True", "False") else text for name, text in as_text.items()
    }
    assert len(shown) >= 23


POOL = '[[pools]]\nid = "pool-a"\nname = "A"\nnodes = [{vcpus = 1, memory = 1}]\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (POOL + POOL, "pools has the id pool-a twice."),
        (POOL + 'flavors = ["x"]', "The pool pool-a names the flavor x, which flavors does not have."),
        (POOL.replace("vcpus = 1", "vcpus = 0"), "at `$.pools[0].nodes[0].vcpus`"),
        (POOL.replace("{vcpus = 1, memory = 1}", ""), "Expected `array` of length >= 1"),
        (POOL + "size = 2", "unknown field `size`"),
    ],
)
def test_bad_pools_are_refused(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "nbfleet.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadSettings) as fault:
        load({"data_dir": str(tmp_path)}, {}, file)
    assert message in str(fault.value)


SHARE = '[[shares]]\nname = "sets"\nroot = "/srv/sets"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SHARE + SHARE, "has the id"),
        (SHARE + SHARE + f'id = "{made_share_id("other")}"\n', "shares has the name sets twice."),
        (SHARE.replace("/srv/sets", "srv"), "at `$.shares[0].root`"),
        (SHARE.replace("sets", "a b", 1), "at `$.shares[0].name`"),
        (SHARE + 'id = "mine"\n', "at `$.shares[0].id`"),
        (SHARE + "writable = true\n", "unknown field `writable`"),
        ('[object_storage]\nendpoint = "store:9000"\n', "at `$.object_storage.endpoint`"),
        ('[object_storage]\nendpoint = "http://store/x,y"\n', "at `$.object_storage.endpoint`"),
        ('[object_storage]\naccess_key_file = "/a,b"\n', "at `$.object_storage.access_key_file`"),
        ('[object_storage.secrets]\nmine = "keys"\n', "at `$.object_storage.secrets"),
        ('[object_storage.secrets]\nmine = {file = "keys"}\n', "at `$.object_storage.secrets"),
        ('[object_storage.secrets]\nmine = {file = "/keys", x = 1}\n', "unknown field `x`"),
    ],
)
def test_bad_storage_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadSettings) as refused:
        load({}, {}, written(tmp_path, text))
    assert message in str(refused.value)


def test_storage_from_a_file(tmp_path: Path) -> None:
    text = SHARE + '[object_storage]\nendpoint = "https://store:9000"\naccess_key_file = "/keys"\n'
    settings = load({}, {}, written(tmp_path, text + '[object_storage.secrets]\nmine = "/mine"\n'))
    assert settings.shares == (ShareSettings(name="sets", root="/srv/sets"),)
    assert share_id(settings.shares[0]) == made_share_id("sets") == "40df6f6c-0fce-5816-9021-438fc0ae4455"
    assert settings.object_storage == ObjectStorageSettings(
        endpoint="https://store:9000", access_key_file="/keys", secrets={"mine": "/mine"}
    )


def test_access_keys_for_some_projects(tmp_path: Path) -> None:
    text = '[object_storage]\naccess_key_file = "/keys"\n[object_storage.secrets]\nmine = "/mine"\n'
    text += 'ours = {file = "/ours", projects = ["p"]}\n'
    objects = load({}, {}, written(tmp_path, text)).object_storage
    assert objects.secrets == {"mine": "/mine", "ours": SecretSettings(file="/ours", projects=["p"])}
    names = (None, "mine", "ours", "unknown")
    assert [key_file(objects, name) for name in names] == ["/keys", "/mine", "/ours", ""]
