"""What a report or an expectation may see of a card at one moment: never a code, a key or a file's content."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field

from bifente.simulator.iso7816.channel import Channel, Environment, Volatile
from bifente.simulator.iso7816.image import CardImage
from bifente.simulator.iso7816.memory import CardMemory


@dataclass(frozen=True, slots=True)
class SecretSnapshot:
    """A secret as an inspector sees it: never its value."""

    tries_left: int
    max_tries: int
    uses_left: int | None
    verified: bool


@dataclass(frozen=True, slots=True)
class ChannelSnapshot:
    """A channel as an inspector sees it. ``environments``: template tag in hexadecimal -> "key algorithm"."""

    current_file: str
    current_name: str
    environments: Mapping[str, str]
    hash_ready: str | None
    chained_bytes: int


@dataclass(frozen=True, slots=True)
class CardState:
    """What a report may show of a card at one moment.

    ``channels`` are by "side" or "side#channel"; ``main`` is the one of the side that clients work with, if opened.
    ``authenticated``: by role, the outside party that proved itself.
    """

    powered: bool
    interface: str
    secrets: Mapping[str, SecretSnapshot]
    channels: Mapping[str, ChannelSnapshot]
    pending_bytes: int
    rewritten_files: tuple[str, ...]
    main: ChannelSnapshot | None = None
    authenticated: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """The same as plain dictionaries, for JSON."""
        return asdict(self)

    @classmethod
    def of(
        cls, image: CardImage, memory: CardMemory, verified: Collection[str], volatile: Volatile | None, main: str
    ) -> CardState:
        """Look at a card; ``volatile`` is None when it has no power, ``main`` names the side clients work with."""
        channels = {
            owner: _channel(channel, _chained(volatile, owner))
            for owner, channel in (volatile.channels if volatile else {}).items()
        }
        pending = volatile.pending if volatile else None
        return cls(
            powered=volatile is not None,
            interface=str(image.interface),
            secrets={
                secret.name: SecretSnapshot(
                    tries_left=memory.secrets[secret.name].tries_left,
                    max_tries=secret.max_tries,
                    uses_left=memory.secrets[secret.name].uses_left,
                    verified=secret.name in verified,
                )
                for secret in image.secrets
            },
            channels={f"{side}#{number}" if number else side: channel for (side, number), channel in channels.items()},
            pending_bytes=len(pending.data) if pending else 0,
            rewritten_files=tuple(sorted(memory.contents)),
            main=next((channel for (side, _number), channel in channels.items() if side == main), None),
            authenticated=volatile.trust.proved if volatile else {},
        )


def _chained(volatile: Volatile | None, owner: tuple[str, int]) -> int:
    chain = volatile.chain if volatile else None
    return len(chain.body) if chain is not None and chain.owner == owner else 0


def _channel(channel: Channel, chained: int) -> ChannelSnapshot:
    return ChannelSnapshot(
        current_file=channel.current.path,
        current_name=channel.current.file.name,
        environments={f"{tag:02X}": _environment(chosen) for tag, chosen in channel.environments.items()},
        hash_ready=str(channel.hash.digest) if channel.hash else None,
        chained_bytes=chained,
    )


def _environment(chosen: Environment) -> str:
    key = chosen.key.name if chosen.key else "-"
    return f"{key} {chosen.algorithm.reference:02X}" if chosen.algorithm else f"{key} -"
