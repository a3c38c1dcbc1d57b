"""Where an instance really runs. `base` is the interface; every other module is one way to honour it."""
