"""The fixed words of documents, in every language a document can be written in."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from compliance.engine.strict import read_file
from reports.forms.words import FURTHER_NAMES, LANGUAGES

HERE = Path(__file__).resolve().parent


@cache
def sayings() -> Mapping[str, Mapping[str, str]]:
    """Key to language to words, of ``sayings.yaml``; what letters say, in their further languages too (``sayings_letters.yaml``).

    Raises:
        LawError: a language is missing.
    """
    entries = read_file(HERE / "sayings.yaml", root=HERE).entries()
    found = {key: {name: node.at(name).text() for name in LANGUAGES} for key, node in entries}
    letters = read_file(HERE / "sayings_letters.yaml", root=HERE)
    for key, node in letters.entries():
        if key not in found:
            raise letters.fail("expected a key of sayings.yaml", key)
        found[key] |= {name: node.at(name).text() for name in FURTHER_NAMES}
    # What no letter prints stands in English there.
    return {key: {**dict.fromkeys(FURTHER_NAMES, texts["en"]), **texts} for key, texts in found.items()}


def say(key: str, language: str, **values: str) -> str:
    """The words ``key`` in ``language`` with ``values`` in their places.

    Raises:
        KeyError: no such key or language.
    """
    return sayings()[key][language].format(**values)


def words_in(language: str) -> dict[str, str]:
    """Every saying without a place for values, for the templates."""
    return {key: texts[language] for key, texts in sayings().items()}
