"""The log: every verb has a sentence, every entry has what its sentence needs, nothing leaves."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

import canceldesk
from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases import log
from canceldesk.cases.log import SENTENCES, Verb
from canceldesk.cases.models import AppendOnlyError, LogEntry, Reason
from tests.factories import make_case, make_client

REFUSAL = "The log is append-only"


def fields_of(verb: Verb) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(SENTENCES[verb]) if name}


# ---------------------------------------------------------------- sentences


@pytest.mark.parametrize("verb", Verb)
def test_every_verb_has_a_sentence_without_who_and_when(verb: Verb) -> None:
    assert SENTENCES[verb][0].islower()
    assert not SENTENCES[verb].endswith(".")
    assert verb.value == verb.value.lower()
    assert verb.value.count(".") == 1


def test_there_are_no_sentences_besides() -> None:
    assert set(SENTENCES) == set(Verb)


@pytest.mark.parametrize("verb", Verb)
def test_a_sentence_is_filled_with_what_is_known(verb: Verb) -> None:
    data = {name: f"<{name}>" for name in fields_of(verb)}
    said = log.sentence(LogEntry(verb=verb, data=data))
    assert all(value in said for value in data.values())
    assert "{" not in said


@pytest.mark.parametrize("verb", Verb)
def test_a_sentence_survives_missing_data(verb: Verb) -> None:
    said = log.sentence(LogEntry(verb=verb, data={}))
    assert said.count("?") == SENTENCES[verb].count("{")


def test_what_was_not_known_reads_as_a_question() -> None:
    data = {"subscription": "Gold (SUB1)", "until": "1 May 2027", "original": None}
    said = log.sentence(LogEntry(verb=Verb.HOLD_PLACED, data=data))
    assert said == "held Gold (SUB1) until 1 May 2027; the next charge was ?"


def test_nothing_counted_is_not_unknown() -> None:
    said = log.sentence(LogEntry(verb=Verb.CLOSING_FACTS, data={"collected": "$0.00", "months": 0}))
    assert said == "took the facts: $0.00 collected in 0 months"


def test_a_verb_of_an_older_desk_is_shown_as_it_is() -> None:
    assert log.sentence(LogEntry(verb="case.forgotten", data={})) == "case.forgotten"


@given(st.text())
def test_what_people_wrote_is_never_taken_for_a_template(words: str) -> None:
    entry = LogEntry(verb=Verb.CASE_WITHDRAWN, data={"why": words})
    assert log.sentence(entry) == f"withdrew the case: {words}"


def code() -> Iterator[tuple[str, ast.Module]]:
    """The desk's own code, without the table of verbs itself."""
    root = Path(canceldesk.__file__).parent
    for file in root.rglob("*.py"):
        if file != Path(log.__file__):
            place = str(file.relative_to(root.parent))
            yield place, ast.parse(file.read_text(encoding="utf-8"))


def recorded() -> Iterator[tuple[str, Verb, set[str]]]:
    """Where the code records what: place, verb and the data it gives."""
    for place, module in code():
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and node.args and records(node):
                given = {word.arg or "**" for word in node.keywords}
                for verb in verbs_in(node.args[0]):
                    yield f"{place}:{node.lineno} {verb}", verb, given


def records(call: ast.Call) -> bool:
    return ast.unparse(call.func).rpartition(".")[2] in {"record", "log"}


def verbs_in(argument: ast.AST) -> Iterator[Verb]:
    for node in ast.walk(argument):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Verb":
            yield Verb[node.attr]


def test_whoever_records_gives_what_the_sentence_needs() -> None:
    places = list(recorded())
    assert len(places) > 20
    lacking = {
        place: fields_of(verb) - given
        for place, verb, given in places
        if "**" not in given and fields_of(verb) - given
    }
    assert lacking == {}


def test_every_verb_is_done_by_somebody() -> None:
    assert {verb for _, module in code() for verb in verbs_in(module)} == set(Verb)


# ---------------------------------------------------------------- recording


@pytest.mark.usefixtures("frozen_clock")
def test_an_entry_says_who_did_what_when_to_whom(agent: User) -> None:
    case = make_case()
    entry = log.record(Verb.CASE_RETRIED, by=agent, case=case, why="because")
    entry.refresh_from_db()
    assert (entry.verb, entry.by, entry.case) == ("case.retried", agent, case)
    assert (entry.at, entry.data) == (clock.now(), {"why": "because"})
    assert entry.client == case.client
    assert str(entry) == "2026-11-20 15:00 case.retried"


def test_what_the_desk_does_itself_is_done_by_nobody(db: None) -> None:
    client = make_client()
    entry = log.record(Verb.WEBHOOK_RECEIVED, client=client, type="x")
    assert (entry.by, entry.case, entry.client) == (None, None, client)


def test_the_log_is_read_in_the_order_it_was_written(db: None) -> None:
    made = [log.record(Verb.CASE_RETRIED, number=number) for number in range(5)]
    assert list(LogEntry.objects.all()) == made


# ---------------------------------------------------------------- append-only


@pytest.fixture
def entry(db: None) -> LogEntry:
    return log.record(Verb.CASE_RETRIED, why="as it was")


def test_an_entry_cannot_be_saved_again(entry: LogEntry) -> None:
    entry.verb = "other"
    with pytest.raises(AppendOnlyError, match=REFUSAL):
        entry.save()
    entry.refresh_from_db()
    assert entry.verb == Verb.CASE_RETRIED


def test_an_entry_cannot_be_made_in_the_place_of_another(entry: LogEntry) -> None:
    with pytest.raises(AppendOnlyError):
        LogEntry(pk=entry.pk, verb="other").save()


def test_an_entry_cannot_be_deleted(entry: LogEntry) -> None:
    with pytest.raises(AppendOnlyError, match=REFUSAL):
        entry.delete()


def refused_by_the_database(sql: str, *values: int | str) -> None:
    with (
        pytest.raises(DatabaseError, match=REFUSAL),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, values)


def test_the_database_refuses_to_change_an_entry(entry: LogEntry) -> None:
    refused_by_the_database("UPDATE cases_logentry SET verb = 'other'")
    assert LogEntry.objects.get().verb == entry.verb


def test_the_database_refuses_to_delete_an_entry(entry: LogEntry) -> None:
    refused_by_the_database("DELETE FROM cases_logentry")
    assert LogEntry.objects.get() == entry


def test_the_database_refuses_whole_querysets(entry: LogEntry) -> None:
    everything = LogEntry.objects.all()
    for change in (lambda: everything.update(verb="other"), everything.delete):
        with pytest.raises(DatabaseError, match=REFUSAL), transaction.atomic():
            change()
    assert LogEntry.objects.get().verb == entry.verb


def test_the_database_refuses_to_replace_an_entry(entry: LogEntry) -> None:
    other = LogEntry(pk=entry.pk, verb="other")
    with pytest.raises(DatabaseError, match=REFUSAL), transaction.atomic():
        LogEntry.objects.bulk_create(
            [other], update_conflicts=True, unique_fields=["id"], update_fields=["verb"]
        )
    assert LogEntry.objects.get().verb == entry.verb


def test_sqlite_refuses_to_replace_an_entry_behind_the_triggers_back(entry: LogEntry) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite has INSERT OR REPLACE")
    refused_by_the_database(
        "INSERT OR REPLACE INTO cases_logentry (id, at, verb, data) VALUES (%s, %s, %s, %s)",
        entry.pk,
        "2026-01-01",
        "other",
        "{}",
    )
    assert LogEntry.objects.get().verb == entry.verb


@pytest.mark.django_db(transaction=True)
def test_postgresql_refuses_to_empty_the_log(entry: LogEntry) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has TRUNCATE")
    refused_by_the_database("TRUNCATE cases_logentry CASCADE")
    assert LogEntry.objects.get() == entry


def test_what_the_log_speaks_of_cannot_be_deleted(agent: User) -> None:
    case = make_case()
    log.record(Verb.CASE_RETRIED, by=agent, case=case)
    for spoken_of in (case, case.client, agent):
        with pytest.raises(DatabaseError), transaction.atomic():
            spoken_of.delete()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["first", "second"])
def test_the_guard_and_the_reasons_outlive_an_emptied_database(time: str) -> None:
    log.record(Verb.CASE_RETRIED, time=time)
    refused_by_the_database("DELETE FROM cases_logentry")
    assert LogEntry.objects.get().data == {"time": time}
    assert Reason.objects.filter(key="too_expensive", position=1).exists()


@pytest.mark.django_db(transaction=True)
def test_the_guard_can_be_taken_back_and_put_up_again() -> None:
    guard = import_module("canceldesk.cases.migrations.0002_reasons_and_log_guard")
    log.record(Verb.CASE_RETRIED)
    with connection.schema_editor() as editor:
        guard.unguard_log(apps, editor)
    LogEntry.objects.all().update(verb="other")
    with connection.schema_editor() as editor:
        guard.guard_log(apps, editor)
    refused_by_the_database("UPDATE cases_logentry SET verb = 'again'")


def test_the_reasons_of_a_new_company_are_there_in_order(db: None) -> None:
    reasons = list(Reason.objects.all())
    assert [reason.position for reason in reasons] == list(range(1, len(reasons) + 1))
    assert all(reason.is_offered for reason in reasons)
    assert str(reasons[-1]) == "Something else"
