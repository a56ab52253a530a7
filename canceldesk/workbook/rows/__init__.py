"""What a new row says and looks like: as the list's own rows do."""
