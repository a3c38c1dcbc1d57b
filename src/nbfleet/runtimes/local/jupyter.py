"""How JupyterLab is started and asked whether it is there, and what its log says about its end.

Only this module knows Jupyter's options, variables and paths. It starts nothing itself.
"""

import os
import re
import signal
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import aiohttp

# What an instance may know of our environment. Everything else may be a secret of the service.
_INHERITED = frozenset(
    {
        "LANG",
        "LANGUAGE",
        "TZ",
        "TZDIR",
        "TMPDIR",
        "VIRTUAL_ENV",
        "LD_LIBRARY_PATH",
        "SHELL",
        "USER",
        "LOGNAME",
    }
    | {"JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTERLAB_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR"}
)
_INHERITED_PREFIX = "LC_"
_FALLBACK_PATH = "/usr/local/bin:/usr/bin:/bin"

_PROBE_TIMEOUT = aiohttp.ClientTimeout(total=10)

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TOKEN = re.compile(r"(token=)[^\s&\"']+")
_COMPLAINT = re.compile(r"^(\[[CE] |[A-Za-z_][\w.]*(Error|Exception|Interrupt|Exit)\b|Fatal |.*\bKilled$)")
_CHATTER = re.compile(r"^\[[DIW] ")
_LONGEST_REASON = 400
_LINES_LOOKED_AT = 60


# What describes the environment of the service; another interpreter must not be led back into it.
_OF_THE_SERVICE = frozenset(
    {"VIRTUAL_ENV", "LD_LIBRARY_PATH", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTERLAB_DIR"}
)
# As -P does, which interpreters before 3.11 do not know.
_LAUNCH = (
    "import sys; del sys.path[0]; import runpy; "
    "runpy.run_module('jupyterlab', run_name='__main__', alter_sys=True)"
)


def command(
    python: str, socket_path: Path, work: Path, base_path: str, extra: Sequence[str] = ()
) -> list[str]:
    """-P: a file of the owner named like a module of Jupyter must not keep it from starting."""
    return [python, "-P", "-m", "jupyterlab", *_options(socket_path, work, base_path), *extra]


def command_of_image(
    python: str, socket_path: Path, work: Path, base_path: str, extra: Sequence[str] = ()
) -> list[str]:
    """The same with the interpreter of an image, of whatever release."""
    return [python, "-c", _LAUNCH, *_options(socket_path, work, base_path), *extra]


def _options(socket_path: Path, work: Path, base_path: str) -> list[str]:
    words = [
        socket_argument(socket_path),
        "--ServerApp.sock_mode=0600",
        f"--ServerApp.root_dir={work}",
        f"--ServerApp.base_url={base_path}",
        "--ServerApp.open_browser=False",
        # The gateway in front checks hosts and speaks TLS; what it tells of them is to be believed.
        "--ServerApp.allow_remote_access=True",
        "--ServerApp.trust_xheaders=True",
        # Ending it is the service's business: an instance that ends itself counts as failed.
        "--ServerApp.quit_button=False",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if os.geteuid() == 0:
        words.append("--allow-root")
    return words


def socket_argument(socket_path: Path) -> str:
    """Children inherit the environment but not the arguments: this one tells the server from them."""
    return f"--ServerApp.sock={socket_path}"


def environment(
    ours: Mapping[str, str], python: str, home: Path, secret: str, also: Iterable[str] = ()
) -> dict[str, str]:
    allowed = _INHERITED | frozenset(also)
    inherited = {
        name: value for name, value in ours.items() if name in allowed or name.startswith(_INHERITED_PREFIX)
    }
    # The interpreter's own directory comes first, so that kernels and terminals use the same Python.
    path = os.pathsep.join([str(Path(python).parent), ours.get("PATH") or _FALLBACK_PATH])
    return {
        **inherited,
        "PATH": path,
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / ".jupyter"),
        "JUPYTER_DATA_DIR": str(home / ".local/share/jupyter"),
        "JUPYTER_RUNTIME_DIR": str(home / ".local/share/jupyter/runtime"),
        "IPYTHONDIR": str(home / ".ipython"),
        "PYTHONUNBUFFERED": "1",  # Or the last words of a server that is killed stay in its buffer.
        "JUPYTER_TOKEN": secret,
    }


def environment_of_image(
    ours: Mapping[str, str], python: str, home: Path, secret: str, also: Iterable[str] = ()
) -> dict[str, str]:
    """The same for the interpreter of an image: nothing in it leads to the environment of the service."""
    service = str(Path(sys.executable).parent)
    path = (ours.get("PATH") or _FALLBACK_PATH).split(os.pathsep)
    kept = {name: value for name, value in ours.items() if name not in _OF_THE_SERVICE}
    kept["PATH"] = os.pathsep.join(place for place in path if place != service) or _FALLBACK_PATH
    return environment(kept, python, home, secret, also)


def accepts(socket_path: str) -> bool:
    """Whether somebody listens there. Never waits."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        try:
            connection.connect(socket_path)
        except OSError:
            return False
    return True


class RefusedError(Exception):
    """Something answers, but not as the server that was started."""


async def ask(socket_path: str, base_path: str, secret: str) -> str | None:
    """None when the server answers those who know the secret and only those; else what it does instead.

    Raises RefusedError when asking again cannot help.
    """
    url = f"http://localhost{base_path}api/status"
    connector = aiohttp.UnixConnector(path=socket_path, force_close=True)
    try:
        # No cookies: the login that the first request earns must not count for the second.
        async with aiohttp.ClientSession(
            connector=connector, timeout=_PROBE_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            known = await _status(session, url, {"Authorization": f"token {secret}"})
            unknown = await _status(session, url, {})
    except (aiohttp.ClientError, OSError) as error:
        return f"its server does not answer yet ({type(error).__name__})"
    if known in {401, 403}:
        raise RefusedError("its server does not accept the secret it was started with")
    if known == 200 and unknown < 400:
        raise RefusedError("its server lets in those who do not know its secret")
    if (known, unknown) == (200, 403):
        return None
    return f"its server answers {known} with the secret and {unknown} without it"


async def _status(session: aiohttp.ClientSession, url: str, headers: Mapping[str, str]) -> int:
    async with session.get(url, headers=headers, allow_redirects=False) as response:
        return response.status


def ending(code: int | None) -> str:
    """How a process ended, in words."""
    if code is None:
        return "ended, exit status unknown"
    if code >= 0:
        return f"exited with status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if -code == signal.SIGKILL:
        return f"killed by {name} (the kernel does this when memory runs out)"
    return f"killed by {name}"


def clean(line: str) -> str:
    """Without colours, and without a token should one ever be written."""
    plain = _TOKEN.sub(r"\1...", _COLOUR.sub("", line)).rstrip()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in plain)


def last_words(lines: Sequence[str]) -> str | None:
    """The line of a log that says why it ended: the last complaint, else the last line that is no chatter."""
    recent = [line for line in map(clean, lines[-_LINES_LOOKED_AT:]) if line]
    complaints = [line for line in recent if _COMPLAINT.match(line)]
    plain = [line for line in recent if not _CHATTER.match(line)]
    chosen = (complaints or plain)[-1:]
    return chosen[0].strip()[:_LONGEST_REASON] if chosen else None


def reason(ended: str, lines: Sequence[str]) -> str:
    words = last_words(lines)
    return ended if words is None else f"{ended}: {words}"
