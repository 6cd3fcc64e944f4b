"""The transactions, one module a family."""
