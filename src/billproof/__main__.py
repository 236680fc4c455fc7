"""``python -m billproof``: the command line."""

from billproof.cli import main

if __name__ == "__main__":
    main()
