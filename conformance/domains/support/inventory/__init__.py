"""A real machine as a workstation file: what is there, and what could not be looked at. Nothing is changed on it."""
