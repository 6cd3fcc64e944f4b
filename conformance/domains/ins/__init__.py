"""The national health identity: found by INSi, qualified by a check, sent out only then."""
