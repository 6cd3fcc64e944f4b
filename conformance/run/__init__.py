"""Running scenarios: from a plan to a stream of events."""
