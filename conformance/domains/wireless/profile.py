"""The ``wireless`` section of a reader profile."""

from __future__ import annotations

from pydantic import Field

from bifente.conformance.model import Model, Number
from bifente.ground.fidelity import Fidelity


class BatteryProfile(Model):
    """How long a charge lasts and when the terminal warns."""

    hours: Number = Field(default=8.0, gt=0, le=10_000)
    exchanges: int = Field(default=20_000, gt=0, le=10**9)
    low: Number = Field(default=15.0, ge=0, le=100, description="percent")


class WeakProfile(Model):
    """What a weak link does to exchanges: shares from 0 to 1, and seconds."""

    lost: Number = Field(default=0.3, ge=0, le=1)
    late: Number = Field(default=0.3, ge=0, le=1)
    delay: Number = Field(default=0.8, ge=0, le=60)


class WirelessProfile(Model):
    """The ``wireless`` section of a reader profile: what its numbers rest on, then the numbers."""

    fidelity: Fidelity
    source: str
    ttl: Number = Field(default=120.0, gt=0, le=86_400, description="life of a session token, in seconds")
    leeway: Number = Field(default=5.0, ge=0, le=300, description="how far in the future a token may seem to be issued")
    battery: BatteryProfile = BatteryProfile()
    weak: WeakProfile = WeakProfile()
