"""Two runs of the same scenarios side by side: what differs, and nothing else."""
