"""The DMP as a scenario holds it: a practice software, its cards, its patients, and the service they reach."""
