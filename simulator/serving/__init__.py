"""What carries messages to a service and back."""
