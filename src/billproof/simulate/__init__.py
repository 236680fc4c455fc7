"""Traffic simulator: a month of call detail records of invented operators, in every input format.

``simulate`` writes files that intake reads back, with the control totals of a billing system beside
them. See ``docs/simulator.md`` for the model.
"""

from billproof.simulate.formats import FORMATS
from billproof.simulate.phones import PHONE_FORMATS
from billproof.simulate.result import Blemish, CdrFile, OperatorMonth, PhoneLog, Simulation
from billproof.simulate.run import simulate

__all__ = [
    "FORMATS",
    "PHONE_FORMATS",
    "Blemish",
    "CdrFile",
    "OperatorMonth",
    "PhoneLog",
    "Simulation",
    "simulate",
]
