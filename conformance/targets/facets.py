"""What a bench can do, as the objects that do it.

A facet is a kind of object: whoever has it can do the thing, and there is no other way to know whether it can be done.
A step names the kinds it needs and asks for them; where one is not there the step is not run, for the reason that the
kind gives in words.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeVar

from bifente.ground.text import Text
from bifente.simulator.readers import PinPad, Reader


class Facet(ABC):
    """A kind of thing that a bench may be able to do. ``key`` names it in documents, ``lacking`` says why not."""

    key: ClassVar[str]
    lacking: ClassVar[Text]


F = TypeVar("F", bound=Facet)


class Facets(dict[type[Facet], Facet]):
    """The facets of a bench, each under its kind."""

    def find(self, kind: type[F]) -> F | None:
        """Return the object that does this kind of thing, None if there is none."""
        found = self.get(kind)
        assert found is None or isinstance(found, kind)  # noqa: S101 - what is filed under a kind is of it
        return found


class PrivateClock(Facet):
    """A time that belongs to the bench and passes when told to."""

    key = "clock"
    lacking = Text(
        "l'horloge d'un lecteur vu par PC/SC ne s'avance pas", "the clock of a reader behind PC/SC cannot be advanced"
    )

    @abstractmethod
    def advance(self, seconds: float) -> None:
        """Let time pass."""


class HotPlug(Facet):
    """Readers that are plugged in and out."""

    key = "hot-plug"
    lacking = Text(
        "un lecteur vu par PC/SC ne se branche ni ne se débranche ici",
        "a reader behind PC/SC is neither plugged in nor out here",
    )

    @abstractmethod
    def unplug(self, reader: Reader) -> None:
        """Pull a reader out, cards inside or not."""

    @abstractmethod
    def plug(self, reader: Reader, names: Sequence[str]) -> None:
        """Plug it in, its slots under these names."""


class ServiceControl(Facet):
    """A PC/SC service that is stopped and started."""

    key = "service"
    lacking = Text(
        "le service PC/SC d'un poste ne s'arrête pas d'ici",
        "the PC/SC service of a workstation is not stopped from here",
    )

    @abstractmethod
    def stop(self) -> None:
        """Stop it: every dialogue open through it is dead."""

    @abstractmethod
    def start(self) -> None:
        """Start it again."""


class WatchedClients(Facet):
    """Programs that reach the readers by PC/SC, each of their calls told."""

    key = "clients"
    lacking = Text(
        "un programme n'atteint les lecteurs qu'à travers le service PC/SC du banc : --target pcsc --service own",
        "a program reaches the readers through the bench's own PC/SC service alone: --target pcsc --service own",
    )

    @property
    @abstractmethod
    def environment(self) -> Mapping[str, str]:
        """What a program's environment needs."""

    @abstractmethod
    def watch(self, watcher: socket.socket) -> None:
        """Tell what programs do to this socket from now on: see ``simulator.pcsc.own.witness``."""

    @abstractmethod
    def watch_no_more(self) -> None:
        """Tell it to nobody."""

    @abstractmethod
    def tell(self) -> bool:
        """Let the watcher have all that was seen so far; whether it has: else it must read, and be told again."""


class PinPadKeys(Facet):
    """The keys of a reader's PIN pad, and a control channel that reaches it (PC/SC part 10)."""

    key = "pin-pad"
    lacking = Text(
        "le lecteur n'a pas de clavier, ou pas que l'on atteigne ici : vpcd n'a pas de canal de commande",
        "the reader has no PIN pad, or none that can be reached here: vpcd has no control channel",
    )

    def __init__(self, pad: PinPad) -> None:
        self.pad = pad
