from __future__ import annotations

import threading

from tests.chaos.interfaces import Journal


def test_a_journal_keeps_what_several_threads_write_whole_and_in_order(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")

    def write(who: str) -> None:
        for number in range(50):
            journal.write(who, "counted", number=number)

    threads = [threading.Thread(target=write, args=(who,)) for who in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = journal.entries()
    journal.close()
    for who in ("a", "b", "c"):
        assert [e["number"] for e in entries if e["who"] == who] == list(range(50))


def test_a_journal_goes_on_after_what_was_there(tmp_path):
    for number in (1, 2):
        journal = Journal(tmp_path / "journal.jsonl")
        journal.write("driver", "filed", number=number)
        entries = journal.entries()
        journal.close()
    assert [entry["number"] for entry in entries] == [1, 2]
    assert {"at", "who", "what", "number"} == set(entries[0])
