"""What is wrong with metadata, in one sentence, with the code that IHE has for it."""

from __future__ import annotations

from bifente.simulator.formats.xds.model import RegistryError


class MetadataError(ValueError):
    """Metadata that cannot be read or taken. ``code`` is that of IHE, the text is its codeContext."""

    def __init__(self, context: str, code: str = "XDSRegistryMetadataError", location: str = "") -> None:
        super().__init__(context)
        self.code = code
        self.location = location

    @property
    def told(self) -> RegistryError:
        """As a line of a RegistryErrorList."""
        return RegistryError(self.code, str(self), self.location)
