"""What a middleware does on a card of each family: the commands behind "sign", "read", "unblock"."""
