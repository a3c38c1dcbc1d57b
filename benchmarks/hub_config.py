"""JupyterHub's configuration for the comparison; peer_servers.py passes the address and the database.

It is read by JupyterHub, in its own environment. The Hub answers its API alone: it has no proxy, and the
users' servers do not exist, they only count as running.
"""

import os

from jupyterhub.proxy import Proxy
from jupyterhub.spawner import Spawner
from jupyterhub.user import User


class NoProxy(Proxy):
    async def add_route(self, routespec, target, data):
        pass

    async def delete_route(self, routespec):
        pass

    async def get_all_routes(self):
        return {}


class NoServer(Spawner):
    async def get_url(self):
        return self.server.url

    async def start(self):
        raise NotImplementedError

    async def stop(self, now=False):
        pass

    async def poll(self):
        return None


async def _is_up(_user, spawner):
    return spawner


User._wait_up = _is_up

c = get_config()  # noqa: F821 - JupyterHub gives the name to this file.
c.JupyterHub.proxy_class = NoProxy
c.NoProxy.should_start = False
c.JupyterHub.spawner_class = NoServer
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.Spawner.poll_interval = 0
c.JupyterHub.services = [
    {"name": "names", "api_token": os.environ["HUB_TOKEN_NAMES"]},
    {"name": "details", "api_token": os.environ["HUB_TOKEN_DETAILS"]},
]
c.JupyterHub.load_roles = [
    {"name": "names", "scopes": ["list:users"], "services": ["names"]},
    {"name": "details", "scopes": ["list:users", "read:users", "read:servers"], "services": ["details"]},
]
