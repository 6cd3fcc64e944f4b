"""The configuration of the FSV, ``sesam.ini``."""

from bifente.simulator.middleware.sesam.model import Disk, KnownFolders, Sesam
from bifente.simulator.middleware.sesam.reading import SesamExamination, examine
from bifente.simulator.middleware.sesam.writing import generate, usual

__all__ = ["Disk", "KnownFolders", "Sesam", "SesamExamination", "examine", "generate", "usual"]
