"""What a reader may offer by its make, as profiles say it and scenarios require it: contacts, a second slot, a radio.

Some are known here, the others come with the domains that know such readers. A feature is data about a device; what a
bench can *do* is a facet (``targets.facets``).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue

from bifente.conformance.domain import domains
from bifente.conformance.loading.problems import nearest
from bifente.ground.text import Text

CONTACT, CONTACTLESS, SECOND_SLOT, PIN_PAD = "contact", "contactless", "second-slot", "pin-pad"

_OWN: Mapping[str, Text] = {
    CONTACT: Text("le lecteur n'a pas de contacts", "the reader has no contacts"),
    CONTACTLESS: Text("le lecteur n'est pas sans contact", "the reader is not contactless"),
    SECOND_SLOT: Text("le lecteur n'a qu'une fente", "the reader has one slot only"),
    PIN_PAD: Text("le lecteur n'a pas de clavier", "the reader has no PIN pad"),
}


@cache
def features() -> Mapping[str, Text]:
    """Return every feature, with why a scenario does not apply where it is lacking. Raise DomainError."""
    return {**_OWN, **{name: lacking for domain in domains() for name, lacking in domain.features.items()}}


def _known(name: str) -> str:
    if name not in features():
        raise ValueError(f"no reader offers {name!r}, {nearest(name, features())}")
    return name


class _Named:
    """The values in the JSON Schema, looked up when one is made: domains are not loaded for a model's sake."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "enum": sorted(features())}


Feature = Annotated[str, AfterValidator(_known), _Named]
"""The name of a feature, as YAML has it."""
