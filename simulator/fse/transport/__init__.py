"""How files go to a body and returns come back: in process or by mail, with the disturbances of the field."""

from bifente.simulator.fse.transport.base import Reception, Transport, TransportError, TransportFailure
from bifente.simulator.fse.transport.disturbances import Direction, Disturbance, Effect, Weather, disturbances
from bifente.simulator.fse.transport.in_process import InProcessTransport
from bifente.simulator.fse.transport.smtp import SmtpTransport

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
