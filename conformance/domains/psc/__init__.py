"""Pro Santé Connect, e-CPS, and the software that logs its users in by them."""
