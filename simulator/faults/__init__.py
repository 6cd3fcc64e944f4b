"""Faults of the field: one catalogue over all rooms, its search by a customer's words, the door to the injectors."""

from bifente.simulator.faults.register import catalogue, fault, inject, rooms
from bifente.simulator.faults.words import search

__all__ = ["catalogue", "fault", "inject", "rooms", "search"]
