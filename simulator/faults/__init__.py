"""Faults of the field: one catalogue over all rooms, its search by a customer's words, the door to the injectors."""

from bifente.simulator.faults.client_codes import ClientCode, named
from bifente.simulator.faults.entries import Known
from bifente.simulator.faults.everyday import EverydayCause, everyday_causes
from bifente.simulator.faults.register import catalogue, fault, inject, rooms
from bifente.simulator.faults.words import Match, WordSearch, search, unknown_codes
from bifente.simulator.faults.writing import one_writing, pieces

__all__ = [
    "ClientCode",
    "EverydayCause",
    "Known",
    "Match",
    "WordSearch",
    "catalogue",
    "everyday_causes",
    "fault",
    "inject",
    "named",
    "one_writing",
    "pieces",
    "rooms",
    "search",
    "unknown_codes",
]
