"""A CloudFSV-like reading service: the SSV functions over HTTPS, on the cards of a wireless terminal."""

from bifente.simulator.middleware.cloudfsv.app import ACCESS_HEADER, REASON_HEADER, application
from bifente.simulator.middleware.cloudfsv.bearer import BearerParameters, Bearers, laboratory_key
from bifente.simulator.middleware.cloudfsv.request import METHODS, Function
from bifente.simulator.middleware.cloudfsv.service import FSV_VERSION, CloudFsv, Outcome, Reading

__all__ = [
    "ACCESS_HEADER",
    "FSV_VERSION",
    "METHODS",
    "REASON_HEADER",
    "BearerParameters",
    "Bearers",
    "CloudFsv",
    "Function",
    "Outcome",
    "Reading",
    "application",
    "laboratory_key",
]
