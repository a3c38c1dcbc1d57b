"""The command line: commands over the client, those of an administrator on the store, and the service itself.

Modules that cost time to import (tables, HTTP, the service) are imported by the command that needs them.
"""
