"""The health directory, searched as a software does."""
