"""The apCV on a workstation: what its software holds of a phone, and how it reaches the service behind it."""

from bifente.simulator.middleware.apcv.context import ApcvContext
from bifente.simulator.middleware.apcv.desk import ApcvDesk, ApcvReply, ReadingStation, RightsCall
from bifente.simulator.middleware.apcv.refusals import ApcvError, ApcvRefusal

__all__ = ["ApcvContext", "ApcvDesk", "ApcvError", "ApcvRefusal", "ApcvReply", "ReadingStation", "RightsCall"]
