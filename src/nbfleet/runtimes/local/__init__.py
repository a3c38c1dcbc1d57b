"""The `local` runtime: every instance is a JupyterLab process of its own on this machine."""

from nbfleet.runtimes.local.runtime import LocalRuntime

__all__ = ["LocalRuntime"]
