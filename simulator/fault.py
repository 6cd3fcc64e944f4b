"""A fault of the field as data, and the room that knows how to make it: what every room and the catalogue share.

A room is a part of the simulator (the readers, the GALSS, a service), ours or an editor's, that brings rows to the one
catalogue (``bifente.simulator.faults``) and an injector for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from bifente.ground.text import Text

UNREADABLE = "UNREADABLE_ANSWER"
"""What a client makes of a PC/SC success whose answer has no room for a status word."""

T = TypeVar("T")

Undo = Callable[[], None]
"""Takes a fault away: the bench is as usable as before. Called once."""


class FaultError(ValueError):
    """The catalogue is wrong, or a fault cannot be made here. One sentence."""


class MissingPartError(FaultError):
    """What a fault needs is not there. The text names it: "a wireless terminal"."""


@dataclass(frozen=True, slots=True)
class PromisedCodes:
    """The codes a fault promises at each level; None where there is none to expect.

    ``pcsc`` is a name of ``PcscCode``, ``sw`` a status word. ``ssv_ps`` and ``ssv_vitale`` are what an SSV function
    returns when it is the professional's card, or the Vitale, that is struck. ``word`` is a code that is no number.
    """

    pcsc: str | None = None
    sw: int | None = None
    galss: int | None = None
    ssv_ps: int | None = None
    ssv_vitale: int | None = None
    http: int | None = None
    word: str | None = None


@dataclass(frozen=True, slots=True)
class VpcdArtefact:
    """What a virtual reader behind vpcd shows instead of the promised PC/SC code, and why."""

    shows: tuple[str, ...]
    """Names of ``PcscCode``, or ``UNREADABLE``: any of them, as the moment has it; none where it cannot be made."""
    why: Text
    of: str = "vpcd"
    """What shows it: ``vpcd``, or ``pcsc-lite`` whatever the reader."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of the catalogue. ``needs`` are capabilities a reader profile must offer for it to be possible.

    ``room`` makes it, by the ``mechanism`` of that room and its ``parameters``.
    """

    id: str
    symptoms: tuple[Text, ...]
    place: str
    room: str
    mechanism: str
    parameters: Mapping[str, Any]
    """As texts: whoever makes the fault knows what they are."""
    codes: PromisedCodes
    cause: Text
    remedy: Text
    artefact: VpcdArtefact | None
    """None if the vpcd path is faithful, or not concerned."""
    needs: frozenset[str]
    source: str
    fidelity: str

    def facts(self) -> Mapping[str, Any]:
        """What a scenario may refer to as ``$faults.<id>...``: the codes promised, as texts; ``http`` a number."""
        codes = self.codes
        numbers = {"sw": codes.sw, "galss": codes.galss, "ssv-ps": codes.ssv_ps, "ssv-vitale": codes.ssv_vitale}
        written = {key: None if n is None else f"{n:04X}" for key, n in numbers.items()}
        known = {"pcsc": codes.pcsc, **written, "http": codes.http, "word": codes.word}
        shown = {"shows": list(self.artefact.shows)} if self.artefact and self.artefact.shows else {}
        return {**{key: value for key, value in known.items() if value is not None}, **shown}


@dataclass(frozen=True, slots=True)
class Aim:
    """Which commands a fault strikes, where that can be said; what is None is as the catalogue has it.

    ``byte`` counts the bytes of the answer that come through. ``only`` names whom a fault of a service strikes, in the
    words of its room: ``{client: lgc-demo}``; a command is a request there.
    """

    instruction: int | None = None
    command: int | None = None
    times: int | Literal["always"] | None = None
    percent: int | None = None
    byte: int | None = None
    only: Mapping[str, str] | None = None


class Around(Protocol):
    """What there is around a fault: an injector asks it for what it needs, by type."""

    def part(self, kind: type[T]) -> T:
        """Return the part of that type. Raise MissingPartError if there is none here."""
        ...


Injector = Callable[[Fault, Around, Aim | None], Undo]
"""Makes a fault of its room. Raises FaultError where what it needs is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRoom:
    """What a part of the simulator brings to the catalogue; entry point group ``bifente.faults``, by its ``name``.

    ``rows`` is ``package:file.yaml``, ``injector`` is ``package.module:function``: neither is loaded before it is
    needed. ``mechanisms`` and ``places`` are those its rows may name; ``aimed`` mechanisms strike commands.
    """

    name: str
    title: Text
    rows: str
    injector: str
    mechanisms: frozenset[str]
    places: frozenset[str]
    aimed: frozenset[str] = field(default=frozenset())
