"""Virtual cards: one folder a family and one descriptor of it, found by its entry point; what all share lies here."""
