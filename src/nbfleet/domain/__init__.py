"""What a notebook is. Pure: no I/O, no clock, no randomness; imports nothing else of nbfleet."""
