"""The health directory: FHIR version 2 of the Annuaire Santé, and the older page of a person."""

from bifente.simulator.services.directory.entries import DirectoryEntry, Register, entry_of
from bifente.simulator.services.directory.faults import DirectoryTrouble
from bifente.simulator.services.directory.service import API_KEY, DirectoryService

__all__ = ["API_KEY", "DirectoryEntry", "DirectoryService", "DirectoryTrouble", "Register", "entry_of"]
