"""Keeping the workbook's file whole, everyone's edits in it, and one writer at a time."""
