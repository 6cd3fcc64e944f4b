"""The wireless terminal: pairing, link, battery, session token, and its HTTPS service."""
