"""The links of the PC/SC chain, and the one error that names the link that broke and its cure."""

from __future__ import annotations

from enum import Enum

from bifente.ground.text import Lang, Text


class Link(Enum):
    """One link between a virtual card and a PC/SC client, in the order in which they are tried."""

    PCSCD_BINARY = "pcscd-binary"
    VPCD_DRIVER = "vpcd-driver"
    PYSCARD = "pyscard"
    OWN_SERVICE = "own-service"
    RUN_DIRECTORY = "run-directory"
    READERS = "readers"
    USER_NAMESPACE = "user-namespace"
    MOUNT_NAMESPACE = "mount-namespace"
    NETWORK_NAMESPACE = "network-namespace"
    MOUNTS = "mounts"
    PRIVATE_PCSCD = "private-pcscd"
    READER_LISTED = "reader-listed"
    PORT = "port"
    CARD_CONNECTED = "card-connected"
    POLL = "poll"
    ATR = "atr"
    APDU = "apdu"
    LATENCY = "latency"
    SHARED_DRIVER = "shared-driver"
    EXPOSURE = "exposure"
    SYSTEM_PCSCD = "system-pcscd"
    STALE = "stale"


_INSTALL = Text(
    "Installez les paquets : apt-get install pcscd vsmartcard-vpcd",
    "Install the packages: apt-get install pcscd vsmartcard-vpcd",
)
_NAMESPACES = Text(
    "Restez au service PC/SC du banc (--service own, pris par défaut) : il n'a besoin d'aucun espace de noms ni, en "
    "conteneur, d'aucune option. Pour pcscd lui-même, levez la limite de la machine (sysctl "
    "user.max_user_namespaces=15000) ou lancez le banc en root hors conteneur.",
    "Stay with the bench's own PC/SC service (--service own, the default): it needs no namespace nor, in a container, "
    "any option. For pcscd itself lift the machine's limit (sysctl user.max_user_namespaces=15000) or run the bench as "
    "root outside a container.",
)
_RESTART = Text(
    "Lisez les messages de pcscd cités, puis relancez ; « bifente doctor » teste chaque maillon.",
    "Read the pcscd messages quoted here, then start again; `bifente doctor` tests each link.",
)
CURES: dict[Link, Text] = {
    Link.PCSCD_BINARY: _INSTALL,
    Link.VPCD_DRIVER: _INSTALL,
    Link.PYSCARD: Text(
        "Installez le client PC/SC : apt-get install gcc libpcsclite-dev swig python3-dev, puis pip install pyscard",
        "Install the PC/SC client: apt-get install gcc libpcsclite-dev swig python3-dev, then pip install pyscard",
    ),
    Link.RUN_DIRECTORY: Text(
        "Choisissez un répertoire court (moins de 96 octets), accessible en écriture et qu'aucun autre banc n'utilise.",
        "Choose a short directory (under 96 bytes), writable, that no other bench uses.",
    ),
    Link.READERS: Text(
        "Corrigez la liste des lecteurs : 8 entrées de 2 fentes au plus, noms distincts de 1 à 121 octets, "
        'sans guillemet (") ni caractère de contrôle.',
        "Mend the list of readers: at most 8 entries of 2 slots, distinct names of 1 to 121 bytes, "
        'without quotation mark (") nor control character.',
    ),
    Link.USER_NAMESPACE: _NAMESPACES,
    Link.MOUNT_NAMESPACE: _NAMESPACES,
    Link.NETWORK_NAMESPACE: _NAMESPACES,
    Link.MOUNTS: Text(
        "Créez le répertoire source et le répertoire cible avant de démarrer.",
        "Make the source and the target directory before starting.",
    ),
    Link.PRIVATE_PCSCD: _RESTART,
    Link.READER_LISTED: _RESTART,
    Link.PORT: _RESTART,
}
"""What to do when a link breaks; a link of the doctor alone carries its cure in its finding."""


class PcscdError(Exception):
    """The private pcscd cannot start or has stopped: which link failed, what was seen, and the cure."""

    def __init__(self, link: Link, detail: Text | str, *, cure: Text | None = None, log: str = "") -> None:
        self.link = link
        self.sentence = detail if isinstance(detail, Text) else Text(detail, detail)
        self.cure = cure if cure is not None else CURES.get(link, _RESTART)
        self.log = log
        quoted = f" pcscd said: {log.strip()[-2000:]}" if log.strip() else ""
        said = self.sentence.en if self.sentence.en.endswith((".", "!", "?")) else f"{self.sentence.en}."
        super().__init__(f"{link.value}: {said}{quoted} {self.cure.en}")

    def say(self, lang: Lang) -> str:
        """Return the whole in a language."""
        said = self.sentence.get(lang)
        said = said if said.endswith((".", "!", "?")) else f"{said}."
        quoted = f" pcscd : {self.log.strip()[-2000:]}" if self.log.strip() else ""
        return f"{self.link.value} : {said}{quoted} {self.cure.get(lang)}" if lang == "fr" else str(self)
