"""What a suite says of the software under test: read with every suite, so apart from what runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Word = Annotated[str, Field(min_length=1)]


class SoftwareSection(BaseModel):
    """The software under test: how it is started, and how its user's actions reach it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: list[Word] = Field(min_length=1, description="program and arguments; python alone is the bench's own")
    driver: bool = Field(default=False, description="whether the command is a driver (docs/observing.md)")
    name: str = Field(default="", description="name of the product")
    version: str = Field(default="", description="its version")
    build: str = Field(default="", description="its build")
    environment: dict[str, str] = Field(default_factory=dict, description="variables it is given")
    services: list[Word] = Field(
        default_factory=list, description="teleservices served on this machine for it (bifente serve --services)"
    )

    @property
    def product(self) -> str:
        """Name and version, as a record tells what was under test."""
        return f"{self.name or Path(self.command[0]).name} {self.version}".strip()
