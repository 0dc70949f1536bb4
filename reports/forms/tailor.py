"""A form made to measure for its duty: addressee, basis and list of contents as pinned with the obligation."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from compliance.engine import LocalText
from compliance.engine.rules import Rule, Stage, Version
from compliance.library import get_library
from reports.forms import contents
from reports.forms.registry import EVERY_STAGE, Field, Form, Section, get_form, serving

Duty = Mapping[str, Any]
# Who is written to in sentences and not in a table.
LETTERS = frozenset({"data_subjects", "customers", "public", "media"})
GENERIC, GENERIC_LETTER = "generic", "generic_letter"


def forms_for(rule: str, stage: str, duty: Duty | None = None) -> list[tuple[Form, str]]:
    """The forms that answer a duty, each with the form's own stage; the generic one comes last.

    ``duty`` is the obligation's own ``duty``, so that the form follows the text it is pinned to; without it the newest
    version of the library that has the stage speaks.

    Raises:
        KeyError: no such rule, or no such stage.
    """
    pinned = duty if duty is not None else duty_of(rule, stage)
    found = [(tailored(form, pinned), form_stage) for form, form_stage in serving(rule, stage)]
    return [*found, (tailored(generic_for(pinned), pinned), stage)]


def form_for(rule: str, stage: str, duty: Duty | None = None) -> tuple[Form, str]:
    """The first form that answers a duty, with the form's own stage: a look-alike if there is one, else the generic.

    Raises:
        KeyError: no such rule, or no such stage.
    """
    return forms_for(rule, stage, duty)[0]


def generic_for(duty: Duty) -> Form:
    """The generic report, or the generic letter for those who are written to in sentences."""
    return get_form(GENERIC_LETTER if duty["audience"] in LETTERS else GENERIC)


def tailored(form: Form, duty: Duty) -> Form:
    """``form`` with what it takes over from ``duty``."""
    if not form.takes:
        return form
    made = replace(form, **{key: take(form, duty) for key, take in _TAKEN.items() if key in form.takes})
    if "contents" not in form.takes or form.contents is None:
        return made
    made = replace(made, note=_with_remarks(form.note, duty))
    own = [item for section in form.sections for item in section.fields]
    further = form.contents_need == "optional"
    # Numbered apart from the form's own items, where both count from one.
    mark = "S" if not further and any(item.number == "1" for item in own) else ""
    items = _contents(form, duty, first=len(own) + 1 if further else 1, mark=mark)
    # A letter begins with them unless it has headings of its own; a report says first who reports.
    place = len(form.sections) if further else 0 if made.audience in LETTERS else 1
    shown = (Section(form.contents, items),) if items else ()
    return replace(made, sections=(*made.sections[:place], *shown, *made.sections[place:]))


def _contents(form: Form, duty: Duty, *, first: int, mark: str) -> tuple[Field, ...]:
    """Each statutory item as a field of its own; its number is its place in the list, counted from ``first``."""
    letter = duty["audience"] in LETTERS
    return tuple(
        _item(text, number, f"{mark}{number}", form.contents_need, letter)
        for number, text in enumerate(filter(_is_item, duty["contents"]), start=first)
    )


def _item(text: Mapping[str, str], number: int, shown: str, need: str, letter: bool) -> Field:
    # Beside headings of its own that say the same, an item is for what they leave open.
    source, name = _filled_by(text["en"], letter) if need != "optional" else (None, "")
    return Field(
        key=f"{CONTENT}{number}",
        number=shown,
        label=LocalText(text["ko"], _begun(text["en"])),
        type="longtext",
        need={EVERY_STAGE: need},
        source=source,
        source_name=name,
        max_length=8000,
        known_from="S",
        help=None,
    )


def _filled_by(text: str, letter: bool) -> tuple[str | None, str]:
    """One source speaks for itself, so that it is compared with what other filings say; several are put together."""
    kinds = contents.kinds_in(text)
    if not kinds:
        return None, ""
    sources = kinds[0].letter if letter else kinds[0].sources
    if len(kinds) == 1 and len(sources) == 1 and sources[0][0] != "awareness":
        return sources[0]
    return contents.CONTENTS, ",".join(kind.key for kind in kinds)


# The keys of the items that a duty brings along: their place in its list. Of two duties they name different things.
CONTENT = "content_"

# How the library begins what is no item: what a notice may not say (us.ma.breach), and that no list is known.
NO_ITEMS = (
    "MUST NOT ",
    "The notice must not ",
    "No list of items known",
    "No statutory list",
    "No need for ",
    "No prescribed content",
    "no personal data in the report",
    "List of contents not known",
    "contents not confirmed",
    "Rule list not read",
)
NO_LIST = frozenset({"not specified", "not specified in the article", "not read", "undecided", "fact found; no list"})


def _is_item(text: Mapping[str, str]) -> bool:
    return not text["en"].startswith(NO_ITEMS) and text["en"].lower() not in NO_LIST


def _with_remarks(note: LocalText, duty: Duty) -> LocalText:
    """What the notice may not say, or that no list is known, is no item of it: whoever writes it is told."""
    remarks = [text for text in duty["contents"] if not _is_item(text)]
    return _joined([note.to_json(), *remarks], " ") if remarks else note


def _words(text: Mapping[str, str]) -> LocalText:
    return LocalText(text["ko"], text["en"])


def _joined(texts: list[Mapping[str, str]], sign: str) -> LocalText:
    return LocalText(sign.join(text["ko"] for text in texts), _begun(sign.join(text["en"] for text in texts)))


def _begun(text: str) -> str:
    """With a capital at the start: an item of a list stands alone here."""
    return text[:1].upper() + text[1:]


def is_own_record(duty: Duty) -> bool:
    """Whether nobody receives it: an analysis or assessment that is kept in the house."""
    return duty["audience"] == "other" and all(name["en"].lower().startswith("own ") for name in duty["addressees"])


def _addressee(form: Form, duty: Duty) -> LocalText:
    return LocalText("", "") if is_own_record(duty) else _joined(duty["addressees"], " ㆍ ")


# How the library marks a provision whose number was not seen in the text itself.
TO_VERIFY = "verify)"


def _basis(form: Form, duty: Duty) -> LocalText:
    """The provisions; one whose number is still to be verified is not put before an authority."""
    provisions = [citation["provision"] for citation in duty["citations"]]
    provisions = [provision for provision in provisions if TO_VERIFY not in provision["en"]]
    return _joined(provisions, "; ") if provisions else _words(duty["instrument"])


def _language(form: Form, duty: Duty) -> str:
    return "ko" if duty["jurisdiction"] == "KR" else "en"


_TAKEN = {
    "title": lambda form, duty: _words(duty["title"]),
    "addressee": _addressee,
    "basis": _basis,
    "audience": lambda form, duty: duty["audience"],
    "language": _language,
    "stages": lambda form, duty: {duty["stage"]: _words(duty["instrument"])},
}


def duty_of(rule: str, stage: str) -> Duty:
    """What the library says of a stage, in the shape of an obligation's duty, from the newest version that has it.

    Raises:
        KeyError: no such rule, or no such stage.
    """
    law = get_library().rules[rule]
    for version in reversed(law.versions):
        found = version.stage(stage)
        if found is not None:
            return _as_duty(law, version, found)
    raise KeyError(f"{rule}/{stage}")


def _as_duty(rule: Rule, version: Version, stage: Stage) -> Duty:
    return {
        "rule": rule.key,
        "stage": stage.key,
        "jurisdiction": rule.jurisdiction,
        "instrument": rule.instrument.to_json(),
        "title": stage.title.to_json(),
        "audience": stage.audience,
        "addressees": [name.to_json() for name in stage.addressees or rule.addressees],
        "citations": [citation.to_json() for citation in stage.citations or version.citations],
        "contents": [text.to_json() for text in (version.contents if stage.contents is None else stage.contents)],
    }
