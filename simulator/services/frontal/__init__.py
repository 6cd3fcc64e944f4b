"""The insurer's front end and computer centre: lots checked on receipt, ARL, then RSP, as the bytes that come back."""

from simulator.services.frontal.frontal import Frontal
from simulator.services.frontal.parameters import Parameters
from simulator.services.frontal.returns import decode_return, encode_return

__all__ = ["Frontal", "Parameters", "decode_return", "encode_return"]
