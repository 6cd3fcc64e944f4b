"""The process that writes a live record: it outlives the bench and slows down no card."""
