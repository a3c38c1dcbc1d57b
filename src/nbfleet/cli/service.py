"""`nbfleet serve` and `nbfleet gateway`."""

from collections.abc import Callable
from typing import Any

import click

from nbfleet.cli.options import settings, with_store


def _listening(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--host", help="Address to listen on. [127.0.0.1]"),
        click.option("--gateway-port", type=int, help="Port of the gateway. [8081]"),
        click.option("--gateway-public-url", help="Address under which browsers reach the gateway."),
        click.option("--tls-certificate", type=click.Path(dir_okay=False), help="PEM file; HTTPS then."),
        click.option("--tls-key", type=click.Path(dir_okay=False), help="PEM file."),
        click.option("--trusted-proxy", "trusted_proxies", multiple=True,
                     help="Address of a proxy whose X-Forwarded-* headers are believed."),
        click.option("--key-file", type=click.Path(dir_okay=False), help="File with the key. [secret.key]"),
        click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"])),
        click.option("--log-format", type=click.Choice(["auto", "json", "text"])),
    ):  # fmt: skip
        command = option(command)
    return with_store(command)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    proxies = options.pop("trusted_proxies")
    return options | {"trusted_proxies": list(proxies) or None}


@click.command("serve")
@_listening
@click.option("--port", type=int, help="Port of the API. [8080]")
@click.option("--runtime", type=click.Choice(["local", "simulated"]), help="What runs the notebooks. [local]")
@click.option("--public-url", help="Address under which clients reach the API.")
@click.option("--no-gateway", is_flag=True, help="The gateway runs apart, as `nbfleet gateway`.")
def serve_command(config: str | None, no_gateway: bool, **options: Any) -> None:
    """Run the service: API, gateway and everything behind them."""
    from nbfleet import server  # noqa: PLC0415 - the service is a lot to import.

    gateway = False if no_gateway else None
    server.serve(settings(config, gateway=gateway, **_given(options)), click.echo)


@click.command("gateway")
@_listening
def gateway_command(config: str | None, **options: Any) -> None:
    """Run the gateway alone, beside a service on the same store and key file.

    Open notebooks then stay connected while the service restarts.
    """
    from nbfleet import server  # noqa: PLC0415

    server.serve_gateway(settings(config, **_given(options)), click.echo)
