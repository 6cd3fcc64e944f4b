"""A bench whose steps speak to a PKCS#11 module instead of the cards: any other bench, with a module in front of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.cards import SeatedCard, Workshop
from bifente.conformance.bench.profiles import ReaderProfile
from bifente.conformance.domains.pkcs11.module_profiles import profile_of
from bifente.conformance.model import CardChoice, ModuleAbility
from bifente.conformance.targets.base import Capability, Connection, PcscCode, ScardError
from bifente.conformance.targets.pkcs11 import Cryptoki, CryptokiError, ModuleGoneError, ModuleInfo, ModuleProcess
from bifente.conformance.targets.pkcs11_guard import Pkcs11Guard
from bifente.ground.clock import Clock
from bifente.ground.text import Text
from bifente.simulator.readers import Reader, ReaderAccess, Slot


class ModuleUnderTest:
    """The module of a run: a process for each scenario, so that what one left behind (or broke) is not the next one's.

    ``prepare`` gives a process that has yet to load the module: one is always kept warm.
    """

    def __init__(self, prepare: Callable[[], ModuleProcess]) -> None:
        self._prepare = prepare
        self._spare = prepare()
        self.cryptoki = Cryptoki(self._next())
        self.info = self._introduce()
        self.profile = profile_of(self.info)

    def _introduce(self) -> ModuleInfo:
        try:
            self.cryptoki.start()
            return self.cryptoki.info()
        except (CryptokiError, ModuleGoneError):
            # It may need a card to say who it is: nobody's profile then.
            return ModuleInfo("", "", "")

    def lacking(self, ability: ModuleAbility) -> Text | None:
        """Why the module is not made for it, or None."""
        return self.profile.lacking(ability) if self.profile is not None else None

    def renew(self) -> None:
        """Another process, its module not yet initialised. Raises ModuleMissingError."""
        self.cryptoki.worker.close()
        self.cryptoki.begin_anew(self._next())

    def rest(self) -> None:
        """C_Finalize if the module was initialised, and the end of the process; another one is ready."""
        self.cryptoki.told = lambda called: None
        with suppress(ModuleGoneError):
            self.cryptoki.stop()
        self.renew()

    def close(self) -> None:
        """End the processes."""
        self.cryptoki.worker.close()
        self._spare.close()

    def _next(self) -> ModuleProcess:
        warm, self._spare = self._spare, self._prepare()
        return warm.load()


class Pkcs11Bench:
    """``inner`` seats the cards; ``names`` are the PC/SC names of its slots by role, ``family_of`` tells cards apart.

    ``guard`` stands before the module when the cards are not ours: it is given the right codes and whether a scenario
    may be destructive.
    """

    def __init__(
        self,
        inner: Bench,
        module: ModuleUnderTest,
        names: Mapping[str, str],
        family_of: Callable[[CardChoice], str],
        *,
        guarded: bool = False,
        allow_destructive: bool = False,
    ) -> None:
        self.inner = inner
        self.module = module
        self.names = names
        self._family_of = family_of
        self._guard: Pkcs11Guard | None = None
        self._guarded = guarded
        self._allow_destructive = allow_destructive
        self._slots: dict[str, int] = {}

    @property
    def profile(self) -> ReaderProfile:
        """The reader's."""
        return self.inner.profile

    @property
    def workshop(self) -> Workshop:
        """That of the bench below."""
        return self.inner.workshop

    @property
    def clock(self) -> Clock:
        """That of the bench below."""
        return self.inner.clock

    @property
    def access(self) -> ReaderAccess:
        """Another way to the same readers."""
        return self.inner.access

    @property
    def device(self) -> Reader | None:
        """That of the bench below."""
        return self.inner.device

    @property
    def artefacts(self) -> bool:
        """As the bench below."""
        return self.inner.artefacts

    def slot(self, role: str) -> Slot:
        """A slot of the bench below. Raises LookupError."""
        return self.inner.slot(role)

    def picture(self) -> Mapping[str, str]:
        """As the bench below stands."""
        return self.inner.picture()

    @property
    def seated(self) -> dict[str, SeatedCard]:
        """The cards of the scenario."""
        return self.inner.seated

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Those of the bench below, but that steps speak PKCS#11."""
        return self.inner.capabilities - {Capability.APDU} | {Capability.PKCS11}

    def inapplicable(self, choices: Iterable[CardChoice], abilities: Iterable[ModuleAbility]) -> Text | None:
        """Why the module is not made for a scenario with these cards, or None."""
        # A Vitale beside the card is no token: no module is made for it, and none is asked to be.
        wanted = {f"family-{self._family_of(choice)}" for choice in choices}
        families = sorted(ability for ability in ModuleAbility if ability.value in wanted)
        return next((why for need in (*families, *abilities) if (why := self.module.lacking(need))), None)

    def seat(
        self,
        choices: Mapping[str, CardChoice],
        chance: random.Random,
        *,
        destructive: bool,
        day: date | None = None,
    ) -> None:
        """The module rests, the cards change, each is powered anew; the module then starts as for a new application."""
        self.module.rest()
        self._slots.clear()
        self.inner.seat(choices, chance, destructive=destructive, day=day)
        for role in self.seated:
            # A card that took the place of another is known to pcscd by the ATR of the first until it is reset.
            self.inner.connect(role).disconnect()
        cryptoki = self.module.cryptoki
        cryptoki.guard = self._guard_for(destructive=destructive and self._allow_destructive)

    def _guard_for(self, *, destructive: bool) -> Pkcs11Guard | None:
        if not self._guarded:
            return None
        if self._guard is None:
            # Once for the whole run: a code that the card refused stays forgotten in the scenarios that follow.
            facts = next(iter(self.seated.values())).facts
            known = {"user": facts.get("code"), "so": facts.get("unblocking-code")}
            self._guard = Pkcs11Guard({user: str(code) for user, code in known.items() if code is not None})
        self._guard.destructive = destructive
        return self._guard

    def cryptoki(self) -> Cryptoki:
        """The module, initialised at the first call of a scenario. Raises CryptokiError, ModuleGoneError."""
        cryptoki = self.module.cryptoki
        if not cryptoki.started:
            cryptoki.start()
        return cryptoki

    def number(self, role: str) -> int:
        """The module's number of a slot. Raises ScardError, CryptokiError."""
        if role not in self._slots:
            self._slots[role] = self.cryptoki().slot(self.names[role])
        return self._slots[role]

    def connect(self, role: str) -> Connection:
        """Never: the dialogue with the card is the module's."""
        raise ScardError(PcscCode.SHARING_VIOLATION, f"the card of slot {role} belongs to the module")

    def join(self, role: str) -> Connection:
        """Another application beside the module."""
        return self.inner.join(role)

    def insert(self, role: str) -> Text:
        """As the bench below does."""
        return self.inner.insert(role)

    def remove(self, role: str) -> Text:
        """As the bench below does."""
        return self.inner.remove(role)

    def advance(self, seconds: int) -> None:
        """Never: a module has the machine's time."""
        self.inner.advance(seconds)

    def now(self) -> datetime:
        """The bench's time."""
        return self.inner.now()

    def faults(self) -> Sequence[str]:
        """Those of the bench below."""
        return self.inner.faults()

    def close(self) -> None:
        """Finalise the module, empty the slots."""
        if self.module.cryptoki.started:
            self.module.rest()
        self.inner.close()
