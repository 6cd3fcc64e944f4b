"""Readers and their slots: what hands, other applications and the device itself do."""
