"""The health directory: FHIR version 2 of the Annuaire Santé, and the older page of a person."""

from bifente.simulator.services.directory.entries import Entry, Register, entry_of
from bifente.simulator.services.directory.faults import DirectoryTrouble
from bifente.simulator.services.directory.service import API_KEY, DirectoryService

__all__ = ["API_KEY", "DirectoryService", "DirectoryTrouble", "Entry", "Register", "entry_of"]
