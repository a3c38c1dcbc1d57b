"""The HTTP face: the ordered path of a request, and the operations behind it."""
