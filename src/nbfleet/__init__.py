"""nbfleet: a self-hosted notebook service that speaks the ModelArts notebook API."""

from importlib.metadata import version

__version__ = version("nbfleet")
