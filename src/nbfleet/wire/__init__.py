"""The published contract: types of every body, one table of operations, errors, signatures.

Everything the service says or understands on the wire is defined here once; the router, the client and
the served document are derived from it. Nothing here has state, a clock or a socket, and nothing is
imported from the rest of the project.
"""
