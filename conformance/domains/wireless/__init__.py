"""The wireless terminal: link, session, tokens, its HTTPS service."""
