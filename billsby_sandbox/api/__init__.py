"""Billsby's public API as documented, below `faults.BASE`."""
