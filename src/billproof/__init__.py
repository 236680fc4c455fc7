"""Phone bills that both sides can check. See ``docs/architecture.md``."""

__version__ = "0.1.0"
