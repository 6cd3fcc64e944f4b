"""Assembling a bench for a run: profile, readers, cards, target, clock."""
