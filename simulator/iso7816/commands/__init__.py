"""Commands as ISO/IEC 7816-4 has them, for a family to list in its tables. Access rules come from the card's data."""
