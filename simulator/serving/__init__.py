"""What every simulated service stands on: its contract, real TLS on loopback, callers, and what passes told."""
