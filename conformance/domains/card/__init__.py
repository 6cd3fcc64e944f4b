"""The professional's card: selection, files, codes, keys, certificates."""
