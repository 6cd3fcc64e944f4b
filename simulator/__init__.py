"""The virtual world: cards, readers and the PC/SC bridge. Knows neither scenarios nor reports."""
