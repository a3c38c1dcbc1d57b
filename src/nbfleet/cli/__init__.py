"""The command line: click commands over the client, and those that run the service."""
