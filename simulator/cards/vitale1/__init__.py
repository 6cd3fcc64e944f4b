"""The Vitale 1: a memory read in words under class BC. ``layout.yaml``: its ATRs; ``memory.py``: what lies where."""
