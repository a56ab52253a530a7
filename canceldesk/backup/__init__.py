"""Backups of the whole desk in one file, and putting one back without doubling anything."""
