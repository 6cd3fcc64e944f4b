"""The insurer's front end and computer centre: lots checked on receipt, ARL, then RSP, as the bytes that come back."""

from bifente.simulator.services.frontal.frontal import Frontal
from bifente.simulator.services.frontal.parameters import FrontalParameters

__all__ = ["Frontal", "FrontalParameters"]
