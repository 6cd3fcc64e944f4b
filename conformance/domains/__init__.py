"""The fields of rules, one folder each. None is known to the engine, which finds them by their entry points."""
