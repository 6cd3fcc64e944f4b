"""The versions that LireConfig tells, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from bifente.ground.shipped import shipped
from bifente.simulator.zones import Group, unnamed


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tables(_Model):
    """The table file of the SSV."""

    label: str
    version: str


class Component(_Model):
    """A further component."""

    id: str
    label: str
    version: str


class Components(_Model):
    """What is installed. ``galss`` and ``pss`` are told only where they are used."""

    fidelity: Literal["documented", "observed", "modelled"]
    ssv: str
    galss: str
    pss: str
    tables: Tables
    components: tuple[Component, ...] = ()
    srt: tuple[str, ...] = ()
    sts: tuple[str, ...] = ()

    @classmethod
    @cache
    def shipped(cls) -> Components:
        """The set that comes with the bench."""
        return cls.model_validate(shipped(__package__, "components.yaml"))

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Components:
        """The shipped set with some values replaced (``{"ssv": "0720"}``). Raises ValidationError."""
        return cls.model_validate({**cls.shipped().model_dump(), **values})

    def groups(self, *, with_galss: bool, devices: tuple[Group, ...]) -> Iterator[Group]:
        """The configuration zone; ``devices`` are the groups of the readers, which whoever reaches them tells."""
        galss, pss = (self.galss, self.pss) if with_galss else ("", "")
        yield unnamed(60, {"ssv-version": self.ssv, "galss-version": galss, "pss-version": pss})
        yield from (group for group in devices if group.id == 61)
        yield unnamed(
            62,
            {
                "library-version": self.ssv,
                "table-label": self.tables.label,
                "table-version": self.tables.version,
                "body-file-count": "0",
            },
        )
        if with_galss:
            names = ("library-version", "server-version", "client-version", "configuration-version")
            yield unnamed(63, dict.fromkeys(names, self.galss))
        for item in self.components:
            values = {"component-id": item.id, "component-label": item.label, "component-version": item.version}
            yield unnamed(64, values)
        yield from (group for group in devices if group.id == 67)
        for number, versions in ((3600, self.srt), (3780, self.sts)):
            if versions:
                yield Group(number, tuple(version.encode("ascii") for version in versions))
