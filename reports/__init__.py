"""The record of a run (events, journal) and its renderings. Imports nothing of the rest of Bifente."""
