"""Teleservices and front ends, simulated."""
