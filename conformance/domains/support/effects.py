"""What a rule does to a workstation that runs: a fault of the catalogue, or a mechanism of one component."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from bifente.conformance.bench.facets import Personalisation
from bifente.conformance.domains.portal.part import ComponentState
from bifente.conformance.domains.readers.surroundings import Surroundings
from bifente.conformance.domains.support.seating import choice
from bifente.simulator.cards.dialogue import Dialogue
from bifente.simulator.cards.families import host_for
from bifente.simulator.fault import Aim
from bifente.simulator.faults import fault, inject
from bifente.simulator.iso7816.apdu import Command
from bifente.simulator.middleware.galss import examine
from bifente.simulator.middleware.galss.breaking import breakages, swapped
from bifente.simulator.middleware.galss.model import ProtocolNumber
from bifente.simulator.middleware.ini import edited
from bifente.simulator.readers.codes import ScardError
from bifente.simulator.workstation import PosteEffect

if TYPE_CHECKING:
    from bifente.conformance.domains.support.running import RunningPoste

Parameters = Mapping[str, str]


def make_effect(running: RunningPoste, effect: PosteEffect) -> None:
    """Make an effect. Raise ValueError for a kind that nothing here makes."""
    if effect.kind not in EFFECTS:
        raise ValueError(f"no effect is named {effect.kind!r}; known: {', '.join(sorted(EFFECTS))}")
    EFFECTS[effect.kind](running, effect.parameters)


def _fault(running: RunningPoste, given: Parameters) -> None:
    role = given.get("at", "cps")
    one = fault(given["fault"])
    aim = Aim(times=1) if given.get("once") == "yes" else None
    try:
        undo = inject(one, Surroundings(running.act(role)), aim)
    except ScardError:
        return  # what another fault has taken away already cannot be struck: no service, no reader to hold
    running.scene.injected[f"{one.id} at {role}"] = undo


def _library(running: RunningPoste, given: Parameters) -> None:
    library = running.libraries[given["name"]]
    if "bits" in given:
        library.bits = frozenset({int(given["bits"])})
    if "without" in given:
        library.bits -= {int(given["without"])}
    if given.get("present") == "no":
        library.present = False
    library.refusal = given.get("refusal", library.refusal)
    library.code = given.get("code", library.code)


def _cryptolib(running: RunningPoste, given: Parameters) -> None:
    running.traits = running.traits.turned(given["trait"], on=given["value"] == "yes")


def _cache(running: RunningPoste, given: Parameters) -> None:
    from bifente.conformance.domains.support.caching import cached

    running.traits = cached(running, given["state"])


def _component(running: RunningPoste, given: Parameters) -> None:
    running.component = ComponentState(given["state"])
    running.component_why = given.get("why", "")


def _browser(running: RunningPoste, given: Parameters) -> None:
    if "certificate" in given:
        running.certificate_offered = given["certificate"] == "offered"
    if "local-pages" in given:
        running.local_pages_reached = given["local-pages"] == "reached"


def _link(running: RunningPoste, given: Parameters) -> None:
    running.broken_links[given["name"]] = given["why"]


def _card(running: RunningPoste, given: Parameters) -> None:
    role = given.get("at", "cps")
    chosen = choice(running.poste, role, lifecycle=given["lifecycle"])
    running.act().facet(Personalisation).put(role, chosen, running.scene.random)


def _galss_file(running: RunningPoste, given: Parameters) -> None:
    galss = running.station.galss
    if "breakage" in given:
        galss.file = breakages()[given["breakage"]].strike(galss.file or b"")
    elif given["form"] == "serial":
        # A file for the serial protocol, while nothing answers on that port: the reader is a PC/SC one.
        galss.file = running.station.wire(1)
        galss.ports = {}
    elif given["form"] == "exchanged":
        galss.file = swapped(galss.file or b"")
    galss.start()


def _sesam_file(running: RunningPoste, given: Parameters) -> None:
    if given.get("form") == "missing":
        running.station.place_sesam(None)
        return
    data = running.station.sesam_ini or b""
    running.station.place_sesam(edited(data, given["section"], given.get("key"), given.get("value")))


def _file(running: RunningPoste, given: Parameters) -> None:
    """A configuration file as it really lies on the workstation."""
    data = running.poste.files[given["name"]]
    if given["name"] == "sesam.ini":
        running.station.place_sesam(data)
        return
    running.station.galss.file = _with_our_names(data, running)
    running.station.galss.start()


def _with_our_names(data: bytes, running: RunningPoste) -> bytes:
    """The file with the names of the readers that were seen there replaced by those of the bench, card by card.

    A name that was not seen there stays as it is, and is absent here too. Where no reader was looked at, the first two
    names are taken for the CPS's and the Vitale's, in the order of the channels: it is told that nobody compared them.
    """
    ours = running.scene.bench.names
    found = examine(data).configuration
    if found is None:
        return data
    theirs = dict(running.poste.slots)
    if not theirs:
        named = [one.characteristics for one in found.channels if one.protocol is ProtocolNumber.PCSC]
        theirs = dict(zip(dict.fromkeys(named), ("cps", "vitale"), strict=False))
    for name, card in theirs.items():
        if card in ours:
            data = data.replace(name.encode("cp1252", "replace"), ours[card].encode("ascii"))
    return data


def _connector(running: RunningPoste, given: Parameters) -> None:
    running.connector_why = given["why"]


def _line(running: RunningPoste, given: Parameters) -> None:
    running.line = given


def _clock(running: RunningPoste, given: Parameters) -> None:
    running.clock_ahead = timedelta(hours=float(given["hours"]))


def _code(running: RunningPoste, given: Parameters) -> None:
    running.typed = given["typed"]


def _other_program(running: RunningPoste, given: Parameters) -> None:
    """Another program of the workstation selects the application of the card, and stays connected."""
    if given["does"] != "hold-application":
        raise ValueError(f"another program does not {given['does']!r} here")
    bench = running.scene.bench
    known = bench.card_in("cps").layout
    aid = known.aids[host_for(running.scene.dialogue("cps"), known).application]
    connection = bench.access.connect(bench.names["cps"])
    Dialogue(connection, lambda exchanged: None).send(Command(0x00, 0xA4, 0x04, 0x0C, aid))


EFFECTS: Mapping[str, Callable[[RunningPoste, Parameters], None]] = {
    "fault": _fault,
    "library": _library,
    "cryptolib": _cryptolib,
    "cache": _cache,
    "component": _component,
    "browser": _browser,
    "link": _link,
    "card": _card,
    "galss-file": _galss_file,
    "sesam-file": _sesam_file,
    "file": _file,
    "connector": _connector,
    "line": _line,
    "clock": _clock,
    "code": _code,
    "other-program": _other_program,
}
"""Every kind of effect that a rule may name."""
