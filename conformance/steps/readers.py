"""The device itself: readers plugged and unplugged, cards swapped, exclusive use, PIN pad."""
