"""`canceldesk backup` and `canceldesk restore`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from canceldesk.commands.answering import (
    AsJson,
    answering,
    cannot,
    refuse,
    say_json,
)

if TYPE_CHECKING:
    from canceldesk.backup.deciding_again import ToDecide
    from canceldesk.backup.making import Made
    from canceldesk.backup.manifest import Manifest
    from canceldesk.backup.restoring import Examined, Restored

_Target = Annotated[
    Path | None,
    typer.Argument(
        help="Folder for the backup, or a new file ending in .zip; else `backups` in the data "
        "folder.",
        show_default=False,
    ),
]
_File = Annotated[
    Path | None,
    typer.Argument(
        help="The backup; without it, a restore that was interrupted is brought to its end.",
        show_default=False,
    ),
]
_Keep = Annotated[
    int | None,
    typer.Option(min=1, help="Delete older backups of this desk in that folder, but not so many."),
]
_Check = Annotated[
    Path | None,
    typer.Option("--check", metavar="FILE", help="Only prove that this backup can be read."),
]
_Workbook = Annotated[
    bool,
    typer.Option(
        "--workbook",
        help="Put the workbook of the backup back, too; the present one is kept beside it.",
    ),
]
_Yes = Annotated[bool, typer.Option("--yes", help="Do not ask (for scripts).")]
_WORD = "restore"


def backup(
    target: _Target = None, keep: _Keep = None, check: _Check = None, as_json: AsJson = False
) -> None:
    """Copy the whole desk into one file, while it runs."""
    if check is not None:
        _prove(check, as_json=as_json)
        return
    with answering(as_json=as_json), _outcome(as_json=as_json):
        from canceldesk.backup import keeping, making

        made = making.make(target)
        dropped = keeping.drop_older(made, keep) if keep else []
        _say_made(made, dropped, as_json=as_json)


def _prove(file: Path, *, as_json: bool) -> None:
    with answering(as_json=as_json, migrated=False), _outcome(as_json=as_json):
        from canceldesk.backup import making

        told, not_shown = making.check(file)
        if as_json:
            say_json({"done": True, "not_shown": not_shown, "manifest": told.model_dump()})
            return
        typer.echo(" ".join([f"{file} can be read: {_in_words(told)}.", not_shown]).rstrip())


def _say_made(made: Made, dropped: list[Path], *, as_json: bool) -> None:
    size = made.file.stat().st_size
    gone = f" Older ones deleted: {len(dropped)}." if dropped else ""
    sentence = f"{made.file} holds {_in_words(made.manifest)} ({size:,} bytes), read back.{gone}"
    if made.missed:
        sentence = f"{sentence} {made.missed}"
    if as_json:
        say_json(
            {
                "done": not made.missed,
                "sentence": sentence,
                "file": made.file,
                "bytes": size,
                "deleted": dropped,
                "manifest": made.manifest.model_dump(),
            }
        )
    else:
        typer.echo(sentence, err=bool(made.missed))
    if made.missed:
        raise typer.Exit(2)


def restore(
    file: _File = None, workbook: _Workbook = False, yes: _Yes = False, as_json: AsJson = False
) -> None:
    """Put a backup in the place of the desk as it is; what is replaced is kept."""
    with answering(as_json=as_json, migrated=False), _outcome(as_json=as_json):
        from canceldesk.backup import restoring

        if file is None:
            _say_settled(restoring.settle(), as_json=as_json)
            return
        examined = restoring.examine(file)
        if not yes:
            _ask(file, examined, as_json=as_json)
        _say_restored(restoring.restore(file, with_workbook=workbook), as_json=as_json)


def _say_settled(sentence: str, *, as_json: bool) -> None:
    if not sentence:
        refuse("No restore was interrupted. Name the backup to restore.", as_json=as_json)
    if as_json:
        say_json({"done": True, "sentence": sentence})
    else:
        typer.echo(sentence)


def _ask(file: Path, examined: Examined, *, as_json: bool) -> None:
    if as_json:
        refuse("Nobody can be asked here. Say --yes if you mean it.", as_json=as_json)
    for line in _question(file, examined):
        typer.echo(line)
    try:
        answer = typer.prompt(f"Type {_WORD} to go on", default="", show_default=False)
    except typer.Abort:  # nobody is there to type
        answer = ""
    if answer.strip() != _WORD:
        refuse("Nothing was changed.")


def _question(file: Path, examined: Examined) -> Iterator[str]:
    if examined.earlier:
        yield examined.earlier
    yield f"{file} holds {_in_words(examined.told)}."
    if examined.is_damaged:
        yield "The desk's database is damaged; its file is kept beside the restored one."
    present = examined.present
    if present is None:
        return
    newest = f"{present.newest_entry_at:%Y-%m-%d %H:%M} UTC" if present.newest_entry_at else "none"
    yield f"The desk now holds {present.cases} cases; its newest log entry: {newest}."
    if examined.is_another_desk:
        yield "They are NOT the same desk: this one was never backed up into that file."
    yield (
        "What was done since the backup will be gone from the desk, but not from Billsby and the "
        "list. A backup of the desk as it is now is made first."
    )


def _say_restored(done: Restored, *, as_json: bool) -> None:
    right = done.right
    lines = [
        f"The desk is as it was on {done.told.made_at:%Y-%m-%d %H:%M} UTC: {_in_words(done.told)}.",
        f"What was replaced is kept in {done.aside.file}." if done.aside else "",
        f"New cases are numbered from C-{right.next_number:05d}; looked at again as soon as the "
        f"desk runs: {right.woken}. Everybody must sign in again.",
        *_about_outside(done),
        *done.notes,
        "Start the desk, and ask `canceldesk doctor`.",
    ]
    said = [line for line in lines if line]
    if not as_json:
        typer.echo("\n".join(said))
        return
    say_json(
        {
            "done": True,
            "sentence": " ".join(said),
            "made_at": done.told.made_at,
            "kept": done.aside.file if done.aside else None,
            "next_case": f"C-{right.next_number:05d}",
            "woken": right.woken,
            "holds_adopted": right.adopted.holds,
            "billsby_problem": right.adopted.problem,
            "to_decide_again": right.to_decide.cases,
            "approvals_forgotten": right.to_decide.approvals,
            "list_problem": right.list_problem,
            "workbook": done.beside.workbook,
        }
    )


def _about_outside(done: Restored) -> Iterator[str]:
    adopted, list_problem = done.right.adopted, done.right.list_problem
    if adopted.holds:
        yield f"Holds placed since the backup and taken over: {adopted.holds}."
    if adopted.problem:
        yield (
            "Holds placed since the backup could not be looked for, so nobody will know which "
            f"charge dates they replaced: {adopted.problem} Better put that right and restore "
            "again."
        )
    yield from _to_decide(done.right.to_decide)
    if list_problem:
        yield f"The list could not be read for the newest case number on it: {list_problem}"
    if done.aside and done.aside.missed:
        yield done.aside.missed
    yield done.beside.key
    yield done.beside.workbook


def _to_decide(asked: ToDecide) -> Iterator[str]:
    if asked.cases:
        yield (
            "A manager must decide again, because the decision to cancel may have been taken back "
            f"after the backup: {', '.join(asked.cases)}."
        )
    if asked.approvals:
        yield f"Approvals of write-offs that must be given again: {asked.approvals}."


def _in_words(told: Manifest) -> str:
    counted = told.counted
    parts = {
        "the workbook": told.member("workbook"),
        "the secret key": told.member("secret-key"),
    }
    also = "".join(f", {name}" for name, member in parts.items() if member)
    return (
        f"the desk of {told.made_at:%Y-%m-%d %H:%M} UTC with {counted.cases} cases and "
        f"{counted.log_entries} log entries{also}"
    )


@contextmanager
def _outcome(*, as_json: bool) -> Iterator[None]:
    from canceldesk.backup.errors import CannotError, RefusedError

    try:
        yield
    except RefusedError as problem:
        refuse(str(problem), as_json=as_json)
    except CannotError as problem:
        cannot(str(problem), as_json=as_json)
