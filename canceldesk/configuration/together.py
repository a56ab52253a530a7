"""What settings must be to one another."""

from __future__ import annotations


def hold_problem(*, days: int, renew_days: int) -> str:
    """Why a hold of `days` cannot be renewed `renew_days` before it ends, as a sentence; empty
    when it can. With less than half its length between two renewals nothing would be left for the
    tries that fail, and with none a hold would be renewed at every pass.
    """
    latest = days // 2
    if renew_days <= latest:
        return ""
    return f"A hold of {days} days must be renewed at most {latest} days before it ends."
