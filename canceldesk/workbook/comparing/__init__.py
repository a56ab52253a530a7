"""Saying in words what differs between two workbooks beyond rows put in on top of the list.

The judge of the editing: it reads, reckons and compares with code of its own.
"""

from canceldesk.workbook.comparing.commands import verify, verify_command
from canceldesk.workbook.comparing.engine import Comparison, Difference, compare

__all__ = ["Comparison", "Difference", "compare", "verify", "verify_command"]
