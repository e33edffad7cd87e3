"""Damaged inputs, signals and small disks against the commands, as a user meets them."""
