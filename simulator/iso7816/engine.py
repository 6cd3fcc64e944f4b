"""The card itself: power, command dispatch, T=0 and T=1 answers, chaining (ISO/IEC 7816-3, 12.2; 7816-4, 5.1).

All that a reset must clear is in one ``Volatile`` object, replaced whole; all that must survive is in ``Memory``.
"""

from __future__ import annotations

import secrets as random_source
from collections.abc import Callable
from functools import cached_property

from bifente.simulator.iso7816.access import FileOperation, KeyOperation, SecretOperation
from bifente.simulator.iso7816.apdu import ApduError, Command
from bifente.simulator.iso7816.blueprint import blueprint
from bifente.simulator.iso7816.channel import Chain, Channel, Pending, Volatile
from bifente.simulator.iso7816.family import Class, Family, Instruction, Side
from bifente.simulator.iso7816.files import Node
from bifente.simulator.iso7816.image import Algorithm, CardImage, CardKey, CardSecret
from bifente.simulator.iso7816.inspection import CardState
from bifente.simulator.iso7816.memory import MemoryStore, VolatileMemory, identity
from bifente.simulator.iso7816.rsa import RsaKey
from bifente.simulator.iso7816.secrets import CardSecrets, Memory
from bifente.simulator.iso7816.status import StatusError, StatusWord, more_data, wrong_expected
from bifente.simulator.iso7816.trust import Trust

GET_RESPONSE = 0xC0

Random = Callable[[int], bytes]
"""``n`` unpredictable bytes, or those of a seeded generator so that a run can be repeated."""


class SmartCard:
    """A personalised card of some family: the ``Card`` protocol plus what command handlers stand on.

    ``memory`` keeps counters and changed contents across cards and runs (default: only as long as this object);
    ``random`` serves GET CHALLENGE and PSS. Raises ImageError, AccessRuleError or AtrError for an image that cannot be
    a card, CardMemoryError or OSError if the memory cannot be read or is another card's.
    """

    def __init__(
        self,
        image: CardImage,
        family: Family,
        *,
        memory: MemoryStore | None = None,
        random: Random = random_source.token_bytes,
    ) -> None:
        plan = blueprint(image, family)
        self.image = image
        self.family = family
        self.random = random
        self.strict_lengths = plan.strict_lengths
        self.memory = Memory(memory or VolatileMemory(), plan.memory)
        if memory is not None:
            self.memory.state.check(image)
        self.secrets = CardSecrets(image.secrets, self.memory)
        self._volumes = plan.volumes
        self._applications = plan.applications
        self._secret_rules, self._key_rules, self._public_rules = plan.secret_rules, plan.key_rules, plan.public_rules
        self._rsa = plan.keys
        self._algorithms = plan.algorithms
        self._volatile: Volatile | None = None
        self._session: Volatile | None = None
        """What the command under way, or the last, began with: a hand may cut the power before it ends."""

    # -- the Card protocol ------------------------------------------------------------------------------------------

    @property
    def atr(self) -> bytes:
        """Answer To Reset."""
        return self.image.atr

    @cached_property
    def uid(self) -> bytes:
        """What it tells an antenna before any command: four bytes, fixed and not unique (ISO/IEC 14443-3, xF)."""
        told = bytes.fromhex(identity(self.image))
        return bytes([told[0] | 0x0F]) + told[1:4]

    def power_on(self) -> bytes:
        """Cold reset: all volatile state starts anew (CARD-CPS3-06). Gives the ATR."""
        self._powered()
        return self.image.atr

    def _powered(self) -> Volatile:
        self.secrets.verified.clear()
        self._volatile = volatile = Volatile(dict(self.image.channels))
        return volatile

    def power_off(self) -> None:
        """All volatile state is lost (PCSC-06)."""
        self.secrets.verified.clear()
        self._volatile = None

    def reset(self) -> bytes:
        """Warm reset: the same loss as a cold one (PCSC-07). Gives the ATR."""
        return self.power_on()

    def transmit(self, command: bytes) -> bytes:
        """Answer one APDU, whatever its bytes: data and status word, at least 2 bytes. Never raises."""
        self._session = volatile = self._volatile or self._powered()
        pending, volatile.pending = volatile.pending, None
        chain, volatile.chain = volatile.chain, None  # whatever does not continue it, even refused, has ended it
        try:
            return self._execute(volatile, command, pending, chain)
        except StatusError as refusal:
            return refusal.sw.to_bytes(2, "big")

    # -- what handlers stand on -------------------------------------------------------------------------------------

    def require_file(self, operation: FileOperation, node: Node) -> None:
        """Raises StatusError 6982 unless the file's access rule allows the operation now (CARD-CPS3-30)."""
        if not node.acl.allows(operation, self._fulfilled, self._proved):
            raise StatusError(StatusWord.SECURITY_NOT_SATISFIED)

    def require_secret(self, operation: SecretOperation, secret: CardSecret) -> None:
        """Raises StatusError 6982 unless the secret's access rule allows the operation now."""
        if not self._secret_rules[secret.name].allows(operation, self._fulfilled, self._proved):
            raise StatusError(StatusWord.SECURITY_NOT_SATISFIED)

    def require_key(self, operation: KeyOperation, key: CardKey) -> None:
        """Raises StatusError 6982 unless the key's access rule allows the operation now (CARD-CPS3-29)."""
        if not self._key_rules[key.name].allows(operation, self._fulfilled, self._proved):
            raise StatusError(StatusWord.SECURITY_NOT_SATISFIED)

    def require_public(self, operation: KeyOperation, key: CardKey) -> None:
        """Raise StatusError 6A88 if no object gives the key's public half, 6982 if not now (CARD-CPS3-64)."""
        rule = self._public_rules.get(key.name)
        if rule is None:
            raise StatusError(StatusWord.REFERENCE_NOT_FOUND)
        if not rule.allows(operation, self._fulfilled, self._proved):
            raise StatusError(StatusWord.SECURITY_NOT_SATISFIED)

    @property
    def trust(self) -> Trust:
        """Who has proved what since the last reset, for the commands that change it."""
        if self._session is None:
            raise RuntimeError("a card without power trusts nobody")
        return self._session.trust

    def spend_consent(self, operation: KeyOperation, key: CardKey) -> None:
        """After a use of a key that wants consent each time: forget the code that allowed it (CARD-CPS3-62)."""
        if key.consent:
            environment = self._key_rules[key.name].condition(operation) & 0x0F
            self.secrets.verified.difference_update(self.image.environments.get(environment, ()))

    def key_by_mse(self, reference: int) -> CardKey | None:
        """The key that MSE SET names so."""
        return next((key for key in self.image.keys if key.mse_reference == reference), None)

    def key_by_sdo(self, reference: int) -> CardKey | None:
        """The key whose SDO has this number."""
        return next((key for key in self.image.keys if key.reference == reference), None)

    @staticmethod
    def require_here(channel: Channel, key: CardKey) -> None:
        """Raises StatusError 6A88 unless the key lies in the current DF, or in none (CARD-CPS3-24)."""
        if key.folder not in (None, channel.current.folder.path):
            raise StatusError(StatusWord.REFERENCE_NOT_FOUND)

    def rsa(self, key: CardKey) -> RsaKey:
        """The key in working order."""
        return self._rsa[key.name]

    def algorithm(self, reference: int) -> Algorithm | None:
        """A line of the algorithm table."""
        return self._algorithms.get(reference)

    def content(self, node: Node) -> bytes:
        """The present body of an elementary file: as personalised, or as last updated."""
        changed = self.memory.state.contents
        if changed and (found := changed.get(node.key)) is not None:
            return found
        return node.content

    # -- inspection -------------------------------------------------------------------------------------------------

    def state(self) -> CardState:
        """A snapshot for reports and expectations. It holds no code, no key and no file content."""
        return CardState.of(self.image, self.memory.state, self.secrets.verified, self._volatile, self.family.main)

    # -- dispatch ---------------------------------------------------------------------------------------------------

    def _fulfilled(self, environment: int) -> bool:
        return not self.secrets.verified.isdisjoint(self.image.environments.get(environment, ()))

    def _proved(self, environment: int) -> bool:
        roles = self.image.parties.get(environment, ())
        return self._session is not None and self._session.trust.has_proved(roles)

    def _execute(self, volatile: Volatile, raw: bytes, pending: Pending | None, chain: Chain | None) -> bytes:
        if len(raw) < 4:
            raise StatusError(StatusWord.WRONG_LENGTH)
        entry = self.family.classes.get(raw[0])
        if entry is None:
            raise StatusError(StatusWord.UNKNOWN_CLASS)
        started = None if entry.side else self._applications.starting(volatile, entry.channel, raw)
        side = entry.side or started or self._applications.running(volatile, entry.channel, raw)
        instruction = side.instructions.get(raw[1])
        if instruction is None and raw[1] != GET_RESPONSE:
            raise StatusError(StatusWord.UNKNOWN_INSTRUCTION)
        try:
            command = Command.parse(raw)
        except ApduError:
            raise StatusError(StatusWord.WRONG_LENGTH) from None
        if command.extended and not (self.family.extended or self.image.extended):
            raise StatusError(StatusWord.WRONG_LENGTH)
        owner = side.name, entry.channel
        if instruction is None:
            return self._get_response(volatile, entry, side, command, pending)

        channel = None if started else volatile.channels.get(owner)
        if channel is None:
            channel = self._channel(side)
            if not started:  # an application has its channel once its SELECT has succeeded
                volatile.channels[owner] = channel
        body, ne = command.data, command.ne
        strict = self.strict_lengths and not body
        if strict and not instruction.outgoing and len(raw) == 5:
            if raw[4]:
                raise StatusError(StatusWord.WRONG_LENGTH)  # in T=0 the fifth byte is Lc, and the body never came
            command = Command(command.cla, command.ins, command.p1, command.p2)
            strict, ne = False, None
        if chain is not None and chain.owner != owner:
            chain = None
        if entry.chained or chain is not None:
            joined = self._chain(volatile, chain, owner, entry, instruction, command)
            if joined is None:
                return b"\x90\x00"
            command = joined
        response = instruction.handler(self, channel, command)
        if started and self._applications.start(volatile, started, entry.channel, channel):
            self.secrets.verified.clear()
        if not response.data:
            return response.sw.to_bytes(2, "big")
        return self._deliver(volatile, Pending(response.data, response.sw, owner), side.more, ne, strict)

    def _channel(self, side: Side) -> Channel:
        files = self._volumes.get(side.name)
        if files is None:
            raise StatusError(StatusWord.UNKNOWN_CLASS)
        return Channel(files, files.root)

    def _chain(
        self,
        volatile: Volatile,
        chain: Chain | None,
        owner: tuple[str, int],
        entry: Class,
        instruction: Instruction,
        command: Command,
    ) -> Command | None:
        """The whole command once its last part is there, None before.

        A command that does not continue the chain ends it unheard: ISO/IEC 7816-4 leaves this to the card.
        """
        if entry.chained and not instruction.chaining:
            raise StatusError(StatusWord.CHAINING_NOT_SUPPORTED)
        body = command.data
        if chain is not None and (chain.ins, chain.p1, chain.p2) == (command.ins, command.p1, command.p2):
            body = chain.body + body
        if len(body) > self.family.max_body:
            raise StatusError(StatusWord.WRONG_LENGTH)
        if entry.chained:
            volatile.chain = Chain(owner, command.ins, command.p1, command.p2, body)
            return None
        return Command(command.cla, command.ins, command.p1, command.p2, body, command.ne)

    def _get_response(
        self, volatile: Volatile, entry: Class, side: Side, command: Command, pending: Pending | None
    ) -> bytes:
        if command.p1 or command.p2:
            raise StatusError(StatusWord.WRONG_PARAMETERS)
        if command.ne is None or command.data or entry.chained:
            raise StatusError(StatusWord.WRONG_LENGTH)
        if pending is None or pending.owner != (side.name, entry.channel):
            raise StatusError(StatusWord.CONDITIONS_NOT_SATISFIED)
        if self.strict_lengths and command.ne > len(pending.data):
            volatile.pending = pending
            raise StatusError(wrong_expected(len(pending.data)))
        return self._deliver(volatile, pending, side.more, command.ne, strict=False)

    def _deliver(self, volatile: Volatile, answer: Pending, more: int, ne: int | None, strict: bool) -> bytes:
        """Data with the status word, or the part asked for and word of the rest, or only word of it (PCSC-02, -03)."""
        data, size = answer.data, len(answer.data)
        if ne is None:
            volatile.pending = answer
            return more_data(size, more).to_bytes(2, "big")
        if ne < size:
            volatile.pending = Pending(data[ne:], answer.sw, answer.owner)
            return data[:ne] + more_data(size - ne, more).to_bytes(2, "big")
        if strict and ne > size:
            raise StatusError(wrong_expected(size))
        return data + answer.sw.to_bytes(2, "big")
