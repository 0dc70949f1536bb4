"""Letters in further languages: forms/KEY/languages/LANGUAGE.yaml, read strictly; every word the letter prints, or none.

They were not read by a lawyer who speaks the language. The filing's page says so; the letter does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from compliance.engine import LocalText
from compliance.engine.strict import Node, read_file
from compliance.library import get_library
from reports.forms.registry import FOLDER, Form, Section, all_forms
from reports.forms.words import FURTHER_NAMES, Words


@dataclass(frozen=True, slots=True)
class Translation:
    """The words of one letter in one language; ``basis`` by the rule that is answered."""

    language: str
    title: str
    addressee: str
    opening: Mapping[str, str]
    stages: Mapping[str, str]
    fields: Mapping[str, str]
    basis: Mapping[str, str]


def languages_of(form: Form) -> tuple[str, ...]:
    """The languages ``form`` can be written in: its own first."""
    return (form.language, *_translations().get(form.key, {}))


def is_translated(form: Form) -> bool:
    """Whether ``form`` is in a language that no native lawyer has read."""
    return form.language in FURTHER_NAMES


def translated(form: Form, language: str, *, rule: str) -> Form:
    """``form`` in ``language`` for a duty of ``rule``; unchanged where that is its own.

    Raises:
        KeyError: it is not written in that language.
    """
    if language in ("", form.language):
        return form
    said = _translations()[form.key][language]
    basis = said.basis.get(rule)
    return replace(
        form,
        language=language,
        title=_with(form.title, language, said.title),
        addressee=_with(form.addressee, language, said.addressee),
        basis=_with(form.basis, language, basis) if basis else form.basis,
        opening={key: _with(text, language, said.opening[key]) for key, text in form.opening.items()},
        stages={key: _with(text, language, said.stages[key]) for key, text in form.stages.items()},
        sections=tuple(_section(section, said) for section in form.sections),
    )


def _section(section: Section, said: Translation) -> Section:
    fields = (replace(item, label=_with(item.label, said.language, said.fields[item.key])) for item in section.fields)
    return replace(section, fields=tuple(fields))


def _with(text: LocalText, language: str, said: str) -> Words:
    more = dict(text.more) if isinstance(text, Words) else {}
    return Words(text.ko, text.en, tuple(sorted({**more, language: said}.items())))


@cache
def _translations() -> Mapping[str, Mapping[str, Translation]]:
    """Form to language to words.

    Raises:
        LawError: a file is wrong.
    """
    found: dict[str, dict[str, Translation]] = {}
    for path in sorted(FOLDER.glob("*/languages/*.yaml")):
        found.setdefault(path.parent.parent.name, {})[path.stem] = _read(path)
    return found


def _read(path: Path) -> Translation:
    node = read_file(path, root=FOLDER)
    if path.stem not in FURTHER_NAMES:
        raise node.fail(f"{path.stem}: expected a file named by one of {', '.join(FURTHER_NAMES)}")
    return read_translation(node, all_forms()[path.parent.parent.name], path.stem)


def read_translation(node: Node, form: Form, language: str) -> Translation:
    """The words of ``form`` in ``language``.

    Raises:
        LawError: a word is missing, too many, or for a rule that the form does not serve.
    """
    node.mapping(required={"title", "addressee", "opening", "stages", "basis", "fields"})
    fields = {item.key for section in form.sections for item in section.fields}
    for key, _item in node.at("basis").entries():
        if key not in get_library().rules:
            raise node.at("basis").fail("expected a rule of the library", key)
    return Translation(
        language,
        node.at("title").text(),
        node.at("addressee").text(),
        _texts(node.at("opening"), set(form.opening)),
        _texts(node.at("stages"), set(form.stages)),
        _texts(node.at("fields"), fields),
        {key: item.text() for key, item in node.at("basis").entries()},
    )


def _texts(node: Node, keys: set[str]) -> dict[str, str]:
    node.mapping(required=keys)
    return {key: item.text() for key, item in node.entries()}
