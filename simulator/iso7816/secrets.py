"""PIN and PUK: presentation, change, unblocking, and the counters that guard them (PCSC-18, CARD-CPS3-16 to 22).

A try is spent, and the spending stored, before the code is compared; a good code gives it back afterwards. Whatever
happens in between, nothing is gained.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import replace

from bifente.simulator.iso7816.image import CardSecret
from bifente.simulator.iso7816.memory import CardMemory, MemoryStore, SecretState
from bifente.simulator.iso7816.status import StatusError, StatusWord, tries_left


class Memory:
    """The card's non-volatile state, and the only way to change it: stored first, true afterwards."""

    def __init__(self, store: MemoryStore, initial: CardMemory) -> None:
        self._store = store
        self.state = store.load() or initial

    def commit(self, state: CardMemory) -> None:
        """Make a new state true. Raises StatusError 6581 if it cannot be stored; the former one then remains."""
        try:
            self._store.save(state)
        except OSError as error:
            raise StatusError(StatusWord.MEMORY_FAILURE) from error
        self.state = state


class CardSecrets:
    """The secrets of one card. ``verified`` names those presented since the last reset: volatile, shared by all
    operating sides of the card."""

    def __init__(self, rules: Iterable[CardSecret], memory: Memory) -> None:
        self._rules = {rule.reference: rule for rule in rules}
        self._memory = memory
        self.verified: set[str] = set()

    def find(self, reference: int) -> CardSecret:
        """The secret with this reference. Raises StatusError 6A88 if there is none."""
        try:
            return self._rules[reference]
        except KeyError:
            raise StatusError(StatusWord.REFERENCE_NOT_FOUND) from None

    def find_but(self, bit: int, reference: int) -> CardSecret:
        """The secret whose reference with ``bit`` set is this one. Raises StatusError 6A88 if there is none."""
        for rule in self._rules.values():
            if rule.reference | bit == reference:
                return rule
        raise StatusError(StatusWord.REFERENCE_NOT_FOUND)

    def state(self, rule: CardSecret) -> SecretState:
        """Its counters and value."""
        return self._memory.state.secrets[rule.name]

    def status(self, rule: CardSecret) -> int:
        """What VERIFY without data answers: 9000 if verified, else 63Cx or 6983. Costs no try (CARD-CPS3-20).

        Some cards tell the tries left in both cases (CARD-CPS4-10).
        """
        if rule.tells_verified and rule.name in self.verified:
            return StatusWord.SUCCESS
        state = self.state(rule)
        return StatusWord.BLOCKED if _blocked(state) else tries_left(state.tries_left)

    def verify(self, rule: CardSecret, value: bytes) -> None:
        """Present a code.

        Raises StatusError: 6983 if no try or use is left, 6700 for a length the secret cannot have (no try is spent),
        63Cx if it is wrong. A refused code also takes back an earlier good one.
        """
        self._present(rule, value, fits=rule.min_length <= len(value) <= rule.max_length)

    def spend(self, rule: CardSecret) -> None:
        """Count a code that cannot be the right one as a wrong one: a try less, an earlier good one taken back."""
        state = self.state(rule)
        self.verified.discard(rule.name)
        self._memory.commit(
            self._memory.state.with_secret(rule.name, replace(state, tries_left=max(0, state.tries_left - 1)))
        )

    def change(self, rule: CardSecret, values: bytes) -> None:
        """Replace a code: old and new value joined, the card knowing where the old one ends (CARD-CPS3-21).

        Raises StatusError as ``verify`` does; 6700 if what follows the old value cannot be a new one. Success leaves
        the secret verified.
        """
        end = len(self.state(rule).value)
        new = values[end:]
        self._present(rule, values[:end], fits=rule.min_length <= len(new) <= rule.max_length)
        self._memory.commit(self._memory.state.with_secret(rule.name, replace(self.state(rule), value=new)))

    def assign(self, rule: CardSecret, new: bytes) -> None:
        """Replace a code without asking for the old one; whoever calls has checked the right to do so.

        Counters and verification stay as they are. Raises StatusError: 6983 if no try or use is left, 6700 for a
        length the secret cannot have.
        """
        state = self.state(rule)
        if _blocked(state):
            raise StatusError(StatusWord.BLOCKED)
        if not rule.min_length <= len(new) <= rule.max_length:
            raise StatusError(StatusWord.WRONG_LENGTH)
        self._memory.commit(self._memory.state.with_secret(rule.name, replace(state, value=new)))

    def reset(self, rule: CardSecret, new: bytes | None) -> None:
        """Give all tries back, with a new value or the former one; whoever calls has checked the right to do so.

        The secret is not verified afterwards. Raises StatusError 6700 for a length the secret cannot have.
        """
        if new is not None and not rule.min_length <= len(new) <= rule.max_length:
            raise StatusError(StatusWord.WRONG_LENGTH)
        state = self.state(rule)
        value = state.value if new is None else new
        self._memory.commit(
            self._memory.state.with_secret(rule.name, replace(state, value=value, tries_left=rule.max_tries))
        )
        self.verified.discard(rule.name)

    def _present(self, rule: CardSecret, value: bytes, *, fits: bool) -> None:
        before = self.state(rule)
        if _blocked(before):
            raise StatusError(StatusWord.BLOCKED)
        if not fits:
            raise StatusError(StatusWord.WRONG_LENGTH)
        self.verified.discard(rule.name)
        spent = replace(before, tries_left=before.tries_left - 1)
        self._memory.commit(self._memory.state.with_secret(rule.name, spent))
        if not hmac.compare_digest(value, before.value):
            raise StatusError(tries_left(spent.tries_left))
        uses = None if before.uses_left is None else before.uses_left - 1
        good = replace(before, tries_left=rule.max_tries, uses_left=uses)
        self._memory.commit(self._memory.state.with_secret(rule.name, good))
        self.verified.add(rule.name)


def _blocked(state: SecretState) -> bool:
    return state.tries_left == 0 or state.uses_left == 0
