"""Vitale cards as a card: files read by short identifier, what the presence of a CPS opens."""
