"""The Vitale card, its reading functions (SSV), the GALSS, the apCV."""
