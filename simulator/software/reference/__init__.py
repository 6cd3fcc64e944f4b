"""The reference program: a small PC/SC client as an editor's is, with faults that can be switched on by name."""
