"""The command `nbfleet`."""

from nbfleet.cli.main import main

if __name__ == "__main__":
    main()
