"""No string untranslated: every msgid of code and templates has its Korean words."""

import io

import pytest
from babel.messages.pofile import read_po

from tests.servers import ROOT

CATALOGUE = ROOT / "config" / "locale" / "ko" / "LC_MESSAGES" / "django.po"


@pytest.fixture(scope="module")
def korean() -> dict[str, str]:
    with CATALOGUE.open("rb") as file:
        return {
            (message.id if isinstance(message.id, str) else message.id[0]): (
                message.string if isinstance(message.string, str) else message.string[0]
            )
            for message in read_po(file)
            if message.id
        }


def python_strings() -> set[str]:
    from babel.messages.extract import extract_from_dir

    keywords = {"_": None, "gettext": None, "gettext_lazy": None, "ngettext_lazy": (1, 2)}
    found: set[str] = set()
    for room in ("compliance", "incidents", "reports", "config"):
        for _file, _line, message, *_rest in extract_from_dir(
            str(ROOT / room), [("**.py", "python")], {}, keywords=keywords
        ):
            found.add(message if isinstance(message, str) else message[0])
    return found


def template_strings() -> set[str]:
    from babel.messages.extract import extract_python
    from django.utils.translation.template import templatize

    found: set[str] = set()
    for room in ("incidents", "reports", "config"):
        for path in (ROOT / room / "templates").rglob("*"):
            if path.suffix in (".html", ".txt"):
                source = templatize(path.read_text(encoding="utf-8"), origin=str(path))
                for _line, _function, message, _comments in extract_python(
                    io.BytesIO(source.encode()), ["gettext", "ngettext", "_"], [], {}
                ):
                    found.add(message if isinstance(message, str) else message[0])
    return found


def test_every_string_has_its_korean_words(korean: dict[str, str]) -> None:
    wanted = python_strings() | template_strings()
    assert len(wanted) > 300
    assert sorted(text for text in wanted if not korean.get(text)) == []


def test_the_catalogue_holds_nothing_that_is_not_used(korean: dict[str, str]) -> None:
    assert sorted(set(korean) - python_strings() - template_strings()) == []
