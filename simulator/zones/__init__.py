"""The zones of the SSV interface: groups of positional fields, and what each group and field means."""
