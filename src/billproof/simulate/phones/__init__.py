"""Phone logs of the simulated subscribers, with the honest differences between a log and a bill."""

from billproof.simulate.phones.habits import FORMATS as PHONE_FORMATS

__all__ = ["PHONE_FORMATS"]
