"""Readers and cards of a machine: the service, its drivers, what is in each slot by its ATR. No card is spoken to."""

from __future__ import annotations

import json
import plistlib
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bifente.conformance.bench.profiles import known_profiles, load_profile
from bifente.conformance.domains.support.inventory.collected import PosteInventory
from bifente.conformance.domains.support.inventory.machine import Machine
from bifente.simulator.middleware.recognition import CardKind, kind_of

_LOOK = (sys.executable, "-m", "bifente.conformance.domains.support.inventory.pcsc_look")
_DRIVERS = ("/usr/lib/pcsc/drivers", "/usr/lib64/pcsc/drivers", "/usr/local/lib/pcsc/drivers")
_SOCKET = "/run/pcscd/pcscd.comm"
_SMART_CARD_CLASS = "0b"
_HELD = 0x80 | 0x100  # exclusive, in use
_MUTE = 0x200
_SERIAL = "un lecteur en liaison série ne s'y montre pas"
_ROLES = {CardKind.CPS: "cps", CardKind.VITALE_1: "vitale", CardKind.VITALE_2: "vitale"}
_OF_CARDS = ("cps-state", "cps-family", "vitale-state")
_OF_READERS = ("reader", "reader-link", "reader-mode", "reader-holder", *_OF_CARDS)


@dataclass(frozen=True, slots=True)
class InventoriedReader:
    """One reader as PC/SC shows it."""

    name: str
    state: int
    atr: bytes | None

    @property
    def kind(self) -> CardKind | None:
        """What its card is by its ATR; None for an empty slot."""
        if self.atr is None:
            return None
        return CardKind.MUTE if self.state & _MUTE or not self.atr else kind_of(self.atr)


def look_at_cards(machine: Machine, found: PosteInventory) -> None:
    """Collect the service, the drivers, the readers and their cards."""
    _service(machine, found)
    _drivers(machine, found)
    plugged = tuple(_usb_readers(machine))
    for one in plugged:
        found.detail("Lecteurs branchés en USB", one)
    seen = _seen(machine, found)
    if seen is None:
        return
    found.tell("smart-card-service", "running")
    for reader in seen:
        card = "vide" if reader.kind is None else reader.kind.label.fr
        atr = f" (ATR {reader.atr.hex(' ').upper()})" if reader.atr else ""
        found.detail("Lecteurs vus par PC/SC", f"{reader.name} : {card}{atr}")
    _readers(found, seen, plugged)
    if seen:
        _cards(found, seen)


def _service(machine: Machine, found: PosteInventory) -> None:
    version = machine.first([("pcscd", "--version"), ("/usr/sbin/pcscd", "--version")])
    said = (version.said or "").partition("\n")[0]
    found.detail("Service PC/SC", said or f"pcscd : {version.why}")
    socket = machine.environ.get("PCSCLITE_CSOCK_NAME") or _SOCKET
    found.detail("Service PC/SC", f"{socket} : {'présent' if machine.there(socket) else 'absent'}")


def _seen(machine: Machine, found: PosteInventory) -> tuple[InventoriedReader, ...] | None:
    answer = machine.ask(*_LOOK)
    why = answer.why
    if answer.said is not None:
        said = json.loads(answer.said)
        if "readers" in said:
            return tuple(
                InventoriedReader(one["name"], one["state"], None if one["atr"] is None else bytes.fromhex(one["atr"]))
                for one in said["readers"]
            )
        if "stopped" in said:
            found.tell("smart-card-service", "stopped")
            found.detail("Service PC/SC", f"ne répond pas : {said['stopped']}")
        why = said.get("stopped") or said.get("missing", "")
    found.miss("smart-card-service", why)
    for key in _OF_READERS:
        found.miss(key, f"PC/SC ne dit rien : {why}")
    return None


def _readers(found: PosteInventory, seen: Sequence[InventoriedReader], plugged: Sequence[str]) -> None:
    if not seen:
        why = "un lecteur est branché en USB : pilote ou droits" if plugged else _SERIAL
        for key in _OF_READERS:
            found.miss(key, f"PC/SC ne montre aucun lecteur ; {why}")
        return
    found.tell("reader-link", "plugged")
    found.tell("reader-mode", "pcsc")
    profiles = tuple(_profiles(seen))
    if len(profiles) == 1:
        found.tell("reader", profiles[0])
    else:
        found.miss("reader", f"aucun profil de lecteur ne porte ce nom : {', '.join(one.name for one in seen)}")
    if held := [one.name for one in seen if one.state & _HELD]:
        found.tell("reader-holder", "other-software")
        found.detail("Lecteurs vus par PC/SC", f"tenu par un autre programme : {', '.join(held)}")
    else:
        found.tell("reader-holder", "nobody")


def _cards(found: PosteInventory, seen: Sequence[InventoriedReader]) -> None:
    kinds = [one.kind for one in seen]
    unknown = {CardKind.MUTE, CardKind.HELD, CardKind.OTHER} & set(kinds)
    if not unknown:
        found.slots = {one.name: _ROLES.get(one.kind, "") if one.kind is not None else "" for one in seen}
    if kinds.count(CardKind.CPS) > 1:
        found.tell("cps-state", "two-of-them")
    for key, of in (("cps-state", {CardKind.CPS}), ("vitale-state", {CardKind.VITALE_1, CardKind.VITALE_2})):
        if of & set(kinds):
            found.miss(key, "présente, par son ATR ; bloquée, expirée, illisible : rien n'est présenté à une carte")
        elif unknown:
            found.miss(key, "une carte ne dit pas ce qu'elle est (muette, tenue ou inconnue) : regarder laquelle")
        elif "reader" in found.facts:
            found.tell(key, "absent")
        else:
            # A laptop's own reader is empty; the one on the desk may be on a serial line.
            found.miss(key, f"pas dans ce que PC/SC montre ; {_SERIAL}")
    found.miss("cps-family", "l'ATR ne suffit pas à distinguer les générations")


def _profiles(seen: Sequence[InventoriedReader]) -> Iterator[str]:
    names = {_stem(one.name) for one in seen}
    for profile in known_profiles():
        model, _document = load_profile(profile)
        slots = [{_stem(name) for name in (slot.name, *slot.names.values())} for slot in model.slots]
        if slots and all(of & names for of in slots):
            yield profile


def _stem(name: str) -> str:
    """A PC/SC name less what differs from one device to another: a serial number, of five digits or more."""
    return re.sub(r"\d{5,}", "n", name)


def _drivers(machine: Machine, found: PosteInventory) -> None:
    for folder in _DRIVERS:
        for place in machine.entries(folder, "*.bundle"):
            try:
                told = plistlib.loads(machine.data(f"{place}/Contents/Info.plist") or b"")
            except Exception:
                # A list of properties that is none: the standard library raises what it likes.
                found.detail("Pilotes de lecteurs", f"{place} : Info.plist illisible")
                continue
            version = told.get("CFBundleShortVersionString", "?") if isinstance(told, dict) else "?"
            found.detail("Pilotes de lecteurs", f"{place} {version}")
        for place in machine.entries(f"{folder}/serial"):
            found.detail("Pilotes de lecteurs", f"{place} (série)")
    for place in machine.entries("/etc/reader.conf.d"):
        found.detail("Pilotes de lecteurs", f"{place} (déclaré)")


def _usb_readers(machine: Machine) -> Iterator[str]:
    told = set()
    for place in machine.entries("/sys/bus/usb/devices", "*:*"):
        if machine.text(f"{place}/bInterfaceClass").strip() != _SMART_CARD_CLASS:
            continue
        device = place.rpartition(":")[0]
        product, vendor = (machine.text(f"{device}/{name}").strip() for name in ("idProduct", "idVendor"))
        words = machine.text(f"{device}/product").strip() or "sans nom"
        one = f"{words} ({vendor}:{product})"
        if one not in told:
            told.add(one)
            yield one
