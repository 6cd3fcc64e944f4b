"""Software that is not ours, seen from the bench: the control channel, the record, the rules that hold for it."""
