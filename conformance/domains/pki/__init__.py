"""Certificates and their status: the PKI of a scene, TLS with the card. Other domains may stand on it."""
