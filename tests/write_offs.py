"""Whether a desk wrote off again what it could know to be written off.

Billsby's history cannot tell: a repeated write-off is refused or changes nothing, and is no event
of its own. So this judges by the calls that arrived there.
"""

from __future__ import annotations

from billsby_sandbox.company import Company
from billsby_sandbox.records import Call

_DID_NOTHING = {"drop_before", "timeout"}
_MISLEADS = {"stale", "rubbish"}
_LEAST_REFUSAL = 400


def sent_again(company: Company) -> list[str]:
    """Each needless repeat as a sentence, for stories in which one call is made after the other.

    A repeat is right when the calls before it did nothing, or when the last answer about the
    client's invoices was not the truth and none before it told of the write-off.
    """
    carried_out = {
        entry.subject: entry.at
        for entry in company.history()
        if entry.what == "invoice written off" and entry.who == "api"
    }
    done: dict[str, Call] = {}
    misled: set[str] = set()
    read_back: set[str] = set()
    found = []
    for call in company.calls():
        if call.method == "GET" and call.path.endswith("/invoices"):
            _hears(misled, call)
            read_back |= {number for number in done if _tells_of(number, call)}
        if not call.path.endswith("/WrittenOff"):
            continue
        number = call.path.split("/")[-2]
        client = number.rpartition("-")[0]
        if number in done:
            if client not in misled or number in read_back:
                found.append(_told(number, done[number], call))
        elif number in carried_out and call.at >= carried_out[number] and _may_have_done_it(call):
            done[number] = call
            misled.discard(client)
    return found


def _hears(misled: set[str], call: Call) -> None:
    """Note whether what was answered about a client's invoices misled the desk."""
    client = call.path.split("/")[-2]
    if call.fault in _MISLEADS:
        misled.add(client)
    elif call.answer < _LEAST_REFUSAL and call.answer:
        misled.discard(client)


def _tells_of(number: str, call: Call) -> bool:
    """Whether an answer is the truth about the invoices of the one's client."""
    is_true = call.fault not in _MISLEADS and 0 < call.answer < _LEAST_REFUSAL
    return is_true and call.path.split("/")[-2] == number.rpartition("-")[0]


def _may_have_done_it(call: Call) -> bool:
    return call.answer < _LEAST_REFUSAL and call.fault not in _DID_NOTHING


def _told(number: str, first: Call, again: Call) -> str:
    return (
        f"{number} was written off by call {first.id} at {first.at:%H:%M:%S}, and call {again.id} "
        f"at {again.at:%H:%M:%S} asked for it again."
    )
