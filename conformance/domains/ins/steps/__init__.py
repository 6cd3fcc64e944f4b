"""Steps about identities."""
