"""What can go wrong with the list, each as a sentence a person can act on."""

from __future__ import annotations


class ListError(Exception):
    """Something about the list went wrong; `sentence` says what, and what to do now.

    `passing` tells that it is likely to pass by itself, so that nobody need be called at once.
    """

    passing = False

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class CannotRead(ListError):
    """The file is missing or is not a workbook the desk can read. Nothing was written."""


class NoWorkbook(CannotRead):
    """There is no file at the workbook's place, so one could be made there."""


class CannotPlace(ListError):
    """The tab or its headings could not be found without guessing. Nothing was written."""


class CannotEdit(ListError):
    """The row could not be added without harming something. Nothing was written."""


class SomethingBeside(ListError):
    """The row holds something that the desk did not put there, told in `what`: where it stands and
    what it says, without a full stop. Nothing was written.
    """

    def __init__(self, sentence: str, *, what: str) -> None:
        super().__init__(sentence)
        self.what = what


class InUse(ListError):
    """Someone, or another worker, has the workbook open. Nothing was written."""

    passing = True

    def __init__(self, sentence: str, *, by: str) -> None:
        super().__init__(sentence)
        self.by = by


class ChangedMeanwhile(ListError):
    """The workbook is not the one that was read before. Nothing was written."""

    passing = True


class CannotSave(ListError):
    """The new workbook could not be put in place; the old one is as it was."""


class ReadBackDiffers(ListError):
    """What was read back is not what was meant to be written."""
