"""Secure mail with the card: signed, looked at, enciphered for a holder of the directory, opened."""
