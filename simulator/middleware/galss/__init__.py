"""The GALSS, manager of access to the health and social reader: its file ``galss.ini`` and its server."""

from bifente.simulator.middleware.galss.breaking import Breakage, breakages, swapped
from bifente.simulator.middleware.galss.fitting import misfits, slots_seen
from bifente.simulator.middleware.galss.model import Configuration
from bifente.simulator.middleware.galss.reading import Examination, examine
from bifente.simulator.middleware.galss.server import GalssInstallation, GalssServer
from bifente.simulator.middleware.galss.session import Application
from bifente.simulator.middleware.galss.writing import GalssSystem, SlotName, for_pcsc, for_serial, generate

__all__ = [
    "Application",
    "Breakage",
    "Configuration",
    "Examination",
    "GalssInstallation",
    "GalssServer",
    "GalssSystem",
    "SlotName",
    "breakages",
    "examine",
    "for_pcsc",
    "for_serial",
    "generate",
    "misfits",
    "slots_seen",
    "swapped",
]
