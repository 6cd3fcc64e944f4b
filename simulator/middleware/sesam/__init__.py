"""The configuration of the FSV, ``sesam.ini``."""

from simulator.middleware.sesam.model import Disk, KnownFolders, Sesam
from simulator.middleware.sesam.reading import SesamExamination, examine
from simulator.middleware.sesam.writing import generate, usual

__all__ = ["Disk", "KnownFolders", "Sesam", "SesamExamination", "examine", "generate", "usual"]
