"""Fills a database of JupyterHub with users, through its own classes and in its own environment.

    python benchmarks/hub_fill.py DATABASE_URL USERS

Every user has started a server once, every seventh has one now.
"""

import sys
from datetime import datetime, timedelta

from jupyterhub import orm

_SINCE = datetime(2026, 1, 1)  # noqa: DTZ001 - The column holds times without a zone.


def user(number: int) -> orm.User:
    name = f"user-{number:05}"
    seen = _SINCE + timedelta(minutes=number)
    made = orm.User(name=name, created=_SINCE, last_activity=seen)
    spawner = orm.Spawner(name="", user=made, started=seen, last_activity=seen)
    if number % 7 == 6:
        spawner.server = orm.Server(ip="127.0.0.1", port=10_000 + number, base_url=f"/user/{name}/")
    return made


def main(url: str, users: int) -> None:
    session = orm.new_session_factory(url)()
    session.add_all([user(number) for number in range(users)])
    session.commit()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
