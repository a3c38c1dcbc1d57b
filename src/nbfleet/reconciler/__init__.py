"""Making it so: claim, act, apply; and looking after what runs. Recovery after a crash is the same loop."""
