"""The DMP side of a practice software (LPS): what it sends, what it asks first, what it keeps until it is sent."""
