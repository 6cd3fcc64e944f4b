"""The care sheet as a billing software handles it: made, secured, sent, answered, watched."""
