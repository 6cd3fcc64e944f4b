"""Models of files that domains extend: each section they bring is one more key, checked by the domain's own model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, create_model

from bifente.conformance.domain import Domain, DomainError, domains, referred

M = TypeVar("M", bound=BaseModel)
S = TypeVar("S", bound=BaseModel)


@runtime_checkable
class NamesProduct(Protocol):
    """A section that says which product is under test."""

    @property
    def product(self) -> str:
        """Name and version."""
        ...


@cache
def extended(base: type[M], brought: Callable[[Domain], Mapping[str, str]]) -> type[M]:
    """Return a model with one more optional key for each section that domains bring. Raise DomainError."""
    fields: dict[str, Any] = {}
    for domain in domains():
        for key, reference in brought(domain).items():
            name = key.replace("-", "_")
            if name in base.model_fields or name in fields:
                raise DomainError(f"the domain {domain.name!r} brings a section {key!r}, which is there already")
            model = referred(domain, reference)
            if not (isinstance(model, type) and issubclass(model, BaseModel)):
                raise DomainError(f"the domain {domain.name!r}: {reference} is no pydantic model")
            fields[name] = (model | None, None)
    return create_model(base.__name__, __base__=base, __doc__=base.__doc__, **fields)


def section(model: BaseModel, kind: type[S]) -> S | None:
    """Return the section of this kind that an extended model has, None if it has none."""
    return next((value for value in model.__dict__.values() if isinstance(value, kind)), None)


def sections_of_bench(domain: Domain) -> Mapping[str, str]:
    """Return what a domain brings to the ``bench`` of a suite."""
    return domain.sections


def sections_of_profile(domain: Domain) -> Mapping[str, str]:
    """Return what a domain brings to a reader profile."""
    return domain.profile_sections
