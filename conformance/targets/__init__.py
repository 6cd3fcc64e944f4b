"""How steps reach a card: in process, or through PC/SC."""
