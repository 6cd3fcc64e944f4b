"""The component to blame: a workstation that fails, one that works, and the differences that carry the failure."""
