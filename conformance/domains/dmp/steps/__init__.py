"""The steps of the DMP."""
