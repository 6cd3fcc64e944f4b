"""A PKCS#11 module in front of the cards of a bench: steps speak to it instead of the cards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from bifente.conformance.bench.attachment import Attachment
from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.facets import Apdu
from bifente.conformance.bench.module_profiles import profile_of
from bifente.conformance.model import CardChoice, ModuleAbility
from bifente.conformance.targets.facets import Facet, Facets
from bifente.conformance.targets.pkcs11 import (
    Called,
    Cryptoki,
    CryptokiError,
    ModuleGoneError,
    ModuleInfo,
    ModuleProcess,
)
from bifente.conformance.targets.pkcs11_guard import Pkcs11Guard
from bifente.ground.text import Text


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


class RunningModule(Facet):
    """The module that a scenario speaks PKCS#11 to."""

    key = "pkcs11"
    lacking = Text(
        "l'étape parle PKCS#11 : --target pkcs11 --module CHEMIN",
        "the step speaks PKCS#11: --target pkcs11 --module PATH",
    )

    def __init__(self, module: ModuleUnderTest, slots: Callable[[], Mapping[str, str]]) -> None:
        self._module = module
        self._names = slots
        self._slots: dict[str, int] = {}

    def cryptoki(self) -> Cryptoki:
        """Return the module, initialised at the first call of a scenario. Raise CryptokiError, ModuleGoneError."""
        cryptoki = self._module.cryptoki
        if not cryptoki.started:
            cryptoki.start()
        return cryptoki

    def tell(self, told: Callable[[Called], None]) -> None:
        """Have every call told from now on."""
        self._module.cryptoki.told = told

    def number(self, role: str) -> int:
        """Return the module's number of a slot. Raise ScardError, CryptokiError."""
        if role not in self._slots:
            self._slots[role] = self.cryptoki().slot(self._names()[role])
        return self._slots[role]

    def renew(self) -> None:
        """Start another process in the place of one that has died. Raise ModuleMissingError."""
        self._module.renew()

    def forget(self) -> None:
        """The cards change: nothing is known of the slots any more."""
        self._slots.clear()


class ModuleInFront(Attachment):
    """A module attached to a bench: the dialogue with the cards is the module's own.

    ``names`` are the PC/SC names of the slots as the module sees them. ``guarded`` where the cards are not ours: the
    module is given the right codes and what the run allows.
    """

    hides = frozenset({Apdu})

    def __init__(
        self,
        bench: Bench,
        module: ModuleUnderTest,
        names: Callable[[], Mapping[str, str]],
        *,
        guarded: bool = False,
        allow_destructive: bool = False,
    ) -> None:
        self._bench = bench
        self._module = module
        self._running = RunningModule(module, names)
        self._guard: Pkcs11Guard | None = None
        self._guarded = guarded
        self._allow_destructive = allow_destructive

    @property
    def facets(self) -> Facets:
        """The module."""
        return Facets({RunningModule: self._running})

    def inapplicable(self, cards: Iterable[CardChoice], abilities: Iterable[ModuleAbility]) -> Text | None:
        """Why a scenario is not for this module: what it is not made for, of the cards and of what is asked for."""
        # A Vitale beside the card is no token: no module is made for it, and none is asked to be.
        wanted = {f"family-{self._bench.workshop.family(card)}" for card in cards}
        families = sorted(ability for ability in ModuleAbility if ability.value in wanted)
        return next((why for need in (*families, *abilities) if (why := self._module.lacking(need))), None)

    def rest(self) -> None:
        """The module rests while the cards change."""
        self._module.rest()
        self._running.forget()

    def seated(self, *, destructive: bool) -> None:
        """Each card is powered anew; the module then starts as for a new application."""
        card = self._bench.own_facets.find(Apdu)
        if card is not None:
            for role in self._bench.seated:
                # A card that took the place of another is known to pcscd by the ATR of the first until it is reset.
                card.connect(role).disconnect()
        self._module.cryptoki.guard = self._guard_for(destructive=destructive and self._allow_destructive)

    def _guard_for(self, *, destructive: bool) -> Pkcs11Guard | None:
        if not self._guarded:
            return None
        if self._guard is None:
            # Once for the whole run: a code that the card refused stays forgotten in the scenarios that follow.
            facts = next(iter(self._bench.seated.values())).facts
            known = {"user": facts.get("code"), "so": facts.get("unblocking-code")}
            self._guard = Pkcs11Guard({user: str(code) for user, code in known.items() if code is not None})
        self._guard.destructive = destructive
        return self._guard

    def close(self) -> None:
        """Finalise the module."""
        if self._module.cryptoki.started:
            self._module.rest()
