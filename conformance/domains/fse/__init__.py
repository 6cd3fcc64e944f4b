"""Care sheets, from the act to the payment."""
