"""Signing sheets with the two cards, one at a time or many; what a card or the software refuses to sign."""
