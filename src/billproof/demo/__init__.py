"""``billproof demo``: two operators, their subscribers, one month, and what verification catches."""

from billproof.demo.run import run

__all__ = ["run"]
