"""The bench as its own PC/SC service: pcsc-lite's client protocol in front of the readers that exist in process."""
