"""One spelling for everything that is searched, so that people find what they would write
differently: without accents, capitals, apostrophes and punctuation.
"""

from __future__ import annotations

import re
import unicodedata

# Letters that are written with a stroke or joined, which Unicode does not take apart.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)
_APOSTROPHES = re.compile("['\u2019\u2018\u02bc`\u00b4]")
_BETWEEN_WORDS = re.compile(r"[^\w@+]+|_+")


def plain(text: str) -> str:
    """`text` as it is searched: `"  O'Brien-Núñez, Søren "` is `"obrien nunez soren"`."""
    joined = _APOSTROPHES.sub("", text)
    apart = unicodedata.normalize("NFKD", joined.casefold())
    letters = "".join(c for c in apart if not unicodedata.combining(c)).translate(_LETTERS)
    # Taking letters apart may bring up capitals and spaces again ("℡" is "TEL").
    return " ".join(_BETWEEN_WORDS.sub(" ", letters.casefold()).split())
