"""What runs on the workstation between the software and the readers."""
