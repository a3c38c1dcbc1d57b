"""tmp"""

import os

import click

from nbfleet.settings import load


@click.group()
def main(): ...
@main.command()
@click.option("--data-dir")
@click.option("--port", type=int)
@click.option("--gateway-port", type=int)
@click.option("--runtime")
@click.option("--database-url")
def serve(**kw):
    from nbfleet.server import serve as run

    run(load(kw, os.environ), click.echo)
