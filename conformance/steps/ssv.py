"""The SSV functions as a billing software calls them."""
