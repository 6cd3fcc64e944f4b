"""Rules that hold for every program, each judged from the record alone."""
