"""A CloudFSV-like reading service: the SSV functions over HTTPS, on the cards of a wireless terminal."""

from bifente.simulator.services.cloudfsv.app import ACCESS_HEADER, REASON_HEADER, UNAVAILABLE, CloudFsvService
from bifente.simulator.services.cloudfsv.bearer import BearerParameters, Bearers, laboratory_key
from bifente.simulator.services.cloudfsv.request import METHODS, Function
from bifente.simulator.services.cloudfsv.service import FSV_VERSION, CloudFsv, FsvAnswer, ReadingFunctions

__all__ = [
    "ACCESS_HEADER",
    "FSV_VERSION",
    "METHODS",
    "REASON_HEADER",
    "UNAVAILABLE",
    "BearerParameters",
    "Bearers",
    "CloudFsv",
    "CloudFsvService",
    "FsvAnswer",
    "Function",
    "ReadingFunctions",
    "laboratory_key",
]
