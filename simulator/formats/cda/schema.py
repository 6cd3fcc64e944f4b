"""The official schema as a judge. It has no licence to be copied: it is read from a path that its user gives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from lxml import etree

from bifente.simulator.formats.cda.problems import CdaProblem

ENVIRONMENT = "BIFENTE_CDA_SCHEMA"
"""The environment variable that names ``CDA_extended.xsd``."""


class CdaSchemaError(ValueError):
    """The schema that was named cannot be used. One sentence, with the cure."""


class CdaSchema:
    """``CDA_extended.xsd`` at a path of this machine, read once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        parser = etree.XMLParser(no_network=True, resolve_entities=False)
        try:
            self._schema = etree.XMLSchema(etree.parse(str(path), parser))
        except (OSError, etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
            raise CdaSchemaError(
                f"{path} is no usable XML schema ({str(error)[:120]}): name CDA_extended.xsd with {ENVIRONMENT}, the "
                "files that it includes beside it"
            ) from None

    @classmethod
    def from_environment(cls) -> CdaSchema | None:
        """Return the schema that the environment names, None if it names none. Raise CdaSchemaError."""
        named = os.environ.get(ENVIRONMENT)
        return cls(Path(named)) if named else None

    def problems(self, root: etree._Element) -> Iterator[CdaProblem]:
        """Tell what the schema finds, at most fifty lines of it."""
        if not self._schema.validate(root):
            for entry in islice(iter(self._schema.error_log), 50):  # type: ignore[call-overload]
                yield CdaProblem(entry.line, entry.message.replace("{urn:hl7-org:v3}", ""), schema=True)
