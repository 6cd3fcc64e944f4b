"""Somebody else's software in scenarios: started, driven by its user, seen from the bench, and judged over a window."""
