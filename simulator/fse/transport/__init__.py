"""How files go to a body and returns come back: in process or by mail, with the disturbances of the field."""

from simulator.fse.transport.base import Reception, Transport, TransportError, TransportFailure
from simulator.fse.transport.disturbances import Direction, Disturbance, Effect, Weather, disturbances
from simulator.fse.transport.in_process import InProcessTransport
from simulator.fse.transport.smtp import SmtpTransport

__all__ = [
    "Direction",
    "Disturbance",
    "Effect",
    "InProcessTransport",
    "Reception",
    "SmtpTransport",
    "Transport",
    "TransportError",
    "TransportFailure",
    "Weather",
    "disturbances",
]
