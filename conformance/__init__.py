"""Scenarios, targets, the runner and the commands: what drives the virtual world and judges what it sees."""
