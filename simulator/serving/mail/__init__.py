"""How files go to a body and returns come back: in process or by mail, with the disturbances of the field."""

from bifente.simulator.serving.mail.base import Reception, Transport, TransportError, TransportFailure
from bifente.simulator.serving.mail.disturbances import (
    Disturbance,
    DisturbanceEffect,
    MailDirection,
    Weather,
    disturbances,
)
from bifente.simulator.serving.mail.in_process import InProcessTransport
from bifente.simulator.serving.mail.smtp import SmtpTransport

__all__ = [
    "Disturbance",
    "DisturbanceEffect",
    "InProcessTransport",
    "MailDirection",
    "Reception",
    "SmtpTransport",
    "Transport",
    "TransportError",
    "TransportFailure",
    "Weather",
    "disturbances",
]
