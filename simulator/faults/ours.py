"""The rooms of faults that Bifente itself brings, registered by entry points as anybody's are."""

from bifente.ground.text import Text
from bifente.simulator.fault import FaultRoom

_LINE = frozenset(
    {
        *("mute", "late", "truncated", "status", "failed", "withdrawn-after", "withdrawn-during", "unpowered"),
        *("micro-cut", "suspended", "throttled"),
    }
)

READERS = FaultRoom(
    name="readers",
    title=Text("Cartes, contacts et lecteurs", "Cards, contacts and readers"),
    rows="bifente.simulator.readers.faults:faults.yaml",
    injector="bifente.simulator.readers.faults.injection:make",
    mechanisms=_LINE | {"dead", "removed", "lost", "swapped", "reset", "held", "card", "service"},
    places=frozenset({"card", "line", "reader", "service", "configuration", "network"}),
    aimed=_LINE,
)
WIRELESS = FaultRoom(
    name="wireless",
    title=Text("Terminaux sans fil", "Wireless terminals"),
    rows="bifente.simulator.readers.wireless:faults.yaml",
    injector="bifente.simulator.readers.wireless.faults:make",
    mechanisms=frozenset({"forget-code", "link-lost", "link-weak", "battery-empty", "session-closed"}),
    places=frozenset({"wireless"}),
)
GALSS = FaultRoom(
    name="galss",
    title=Text("GALSS", "GALSS"),
    rows="bifente.simulator.middleware.galss:faults.yaml",
    injector="bifente.simulator.middleware.galss.faults:make",
    mechanisms=frozenset({"file", "stopped", "file-held", "versions", "session-open", "channel-held"}),
    places=frozenset({"galss", "configuration"}),
)
CLOUDFSV = FaultRoom(
    name="cloudfsv",
    title=Text("Service de lecture CloudFSV", "CloudFSV reading service"),
    rows="bifente.simulator.services.cloudfsv:faults.yaml",
    injector="bifente.simulator.services.cloudfsv.faults:make",
    mechanisms=frozenset({"trouble"}),
    places=frozenset({"teleservice"}),
)
APCV = FaultRoom(
    name="apcv",
    title=Text("Service apCV", "apCV service"),
    rows="bifente.simulator.services.apcv:faults.yaml",
    injector="bifente.simulator.services.apcv.faults:make",
    mechanisms=frozenset({"offline"}),
    places=frozenset({"teleservice"}),
)
FRONTAL = FaultRoom(
    name="frontal",
    title=Text("Frontal d'organisme", "Front end of a body"),
    rows="bifente.simulator.services.frontal:faults.yaml",
    injector="bifente.simulator.services.frontal.injection:make",
    mechanisms=frozenset({"trouble"}),
    places=frozenset({"front-end"}),
)
DMP = FaultRoom(
    name="dmp",
    title=Text("DMP et réseau", "DMP and network"),
    rows="bifente.simulator.services.dmp:faults.yaml",
    injector="bifente.simulator.services.dmp.faults:make",
    mechanisms=frozenset({"trouble", "line"}),
    places=frozenset({"teleservice", "network"}),
)
PKI = FaultRoom(
    name="pki",
    title=Text("Points de l'IGC-Santé", "Points of the IGC-Santé"),
    rows="bifente.simulator.services.pki:faults.yaml",
    injector="bifente.simulator.services.pki.faults:make",
    mechanisms=frozenset({"trouble"}),
    places=frozenset({"teleservice"}),
)
DIRECTORY = FaultRoom(
    name="directory",
    title=Text("Annuaire Santé", "Health directory"),
    rows="bifente.simulator.services.directory:faults.yaml",
    injector="bifente.simulator.services.directory.faults:make",
    mechanisms=frozenset({"trouble"}),
    places=frozenset({"teleservice"}),
)
