"""The questions of a severity or classification method as a plain form, and the form that adopts a level.

A question may stay unanswered. A number may be a range: ``900..1400``, ``900..`` (at least), ``..1400`` (at most).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from compliance.engine.scoring import Method, Source
from compliance.engine.scoring.method import Weights
from compliance.engine.scoring.questions import NUMBERS, Question

DATASETS = "datasets"
RADIOS_AT_MOST = 6
ROWS_AT_MOST = 20
YES_NO = (("yes", _("Yes")), ("no", _("No")))
NOT_ANSWERED = ("", _("Not answered"))

_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?", re.ASCII)
# An end stays open only beside two dots: "-5" is a number below zero, which is none here.
_SPAN = re.compile(r"(?P<low>[\d.,]*?)\.\.(?P<high>[\d.,]*)", re.ASCII)
_DASHES = re.compile(r"(?<=\d)[~–-](?=\d)")


class NumberRange(forms.CharField):
    """A number, or a range of numbers, as a file of answers has it. ``decimals``: amounts may have them."""

    def __init__(self, *, decimals: bool, **options: Any) -> None:
        super().__init__(max_length=60, required=False, **options)
        self.decimals = decimals
        self.widget.attrs |= {"class": "form-control", "inputmode": "text", "autocomplete": "off"}

    def clean(self, value: Any) -> Any:
        """A whole number, a decimal as text, the ends of a range, or None."""
        text = re.sub(r"\s", "", super().clean(value))
        if not text:
            return None
        span = _SPAN.fullmatch(_DASHES.sub("..", text, count=1))
        if span is None:
            return self._number(text, value)
        ends = {
            name: self._number(end, value)
            for name, end in (("at_least", span["low"]), ("at_most", span["high"]))
            if end
        }
        if not ends or ("at_most" in ends and _exact(ends.get("at_least", 0)) > _exact(ends["at_most"])):
            raise self._wrong(value)
        return ends

    def _number(self, text: str, value: Any) -> int | str:
        if not _GROUPED.fullmatch(text) or ("." in text and not self.decimals):
            raise self._wrong(value)
        plain = text.replace(",", "")
        return plain if "." in plain else int(plain)

    def _wrong(self, value: Any) -> forms.ValidationError:
        return forms.ValidationError(
            _("%(value)s: expected a number such as 1200, or a range such as 900..1400 or 900.. (at least 900)."),
            params={"value": value},
            code="number",
        )


def _exact(value: int | str) -> Decimal:
    return Decimal(value)


def ends_of(value: Any) -> tuple[Decimal, Decimal | None]:
    """The lowest and the highest number of an answer; None: no upper end."""
    if isinstance(value, Mapping):
        high = value.get("at_most")
        return _exact(value.get("at_least", 0)), None if high is None else _exact(high)
    return _exact(value), _exact(value)


def shown_number(value: Any) -> str:
    """An answer as it is typed."""
    if isinstance(value, Mapping):
        return f"{value.get('at_least', '')}..{value.get('at_most', '')}"
    return "" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question on the page: its field, the field of its reason, and where it stands."""

    key: str
    field: BoundField
    reason: BoundField
    source: Source | None
    factor: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One data set on the page."""

    number: int
    name: BoundField
    data: BoundField
    identification: BoundField


class AnswersForm(forms.Form):
    """The questions of ``method``. ``result`` is what a file of answers would say."""

    def __init__(self, *args: Any, method: Method, answers: Mapping[str, Any] | None = None, **options: Any) -> None:
        self.method = method
        self.weights = method.procedure if isinstance(method.procedure, Weights) else None
        self.language = get_language() or "en"
        given = answers or {}
        super().__init__(*args, initial=self._initial(given), **options)
        for key, question in method.questions.items():
            self.fields[f"answer-{key}"] = self._field(question)
            self.fields[f"reason-{key}"] = _reason_field()
        self.rows = self._rows(given) if self.weights else 0
        for number in range(self.rows):
            self._add_row(number)
        if self.weights:
            self.fields[f"reason-{DATASETS}"] = _reason_field()

    @property
    def asked(self) -> Iterator[Asked]:
        """The questions in their order."""
        for key, question in self.method.questions.items():
            source = self.method.sources.get(question.source or "")
            yield Asked(key, self[f"answer-{key}"], self[f"reason-{key}"], source, question.factor)

    @property
    def datasets(self) -> Iterator[Row]:
        """The rows of data sets, the last ones empty."""
        for number in range(self.rows):
            name, data, identification = (self[f"{DATASETS}-{number}-{part}"] for part in _PARTS)
            yield Row(number, name, data, identification)

    @property
    def datasets_reason(self) -> BoundField:
        """Why the data sets are classified so."""
        return self[f"reason-{DATASETS}"]

    def clean(self) -> dict[str, Any]:
        """Whatever is part of something else is no more than it."""
        data = super().clean() or {}
        for key, question in self.method.questions.items():
            part, whole = data.get(f"answer-{key}"), data.get(f"answer-{question.within}")
            if question.within and part is not None and whole is not None:
                most = ends_of(whole)[1]
                if most is not None and ends_of(part)[0] > most:
                    words = _("%(part)s: expected no more than %(whole)s, the answer to: %(question)s")
                    asked = self.method.questions[question.within].text.get(self.language)
                    shown = {"part": shown_number(part), "whole": shown_number(whole), "question": asked}
                    self.add_error(f"answer-{key}", forms.ValidationError(words, params=shown, code="within"))
        return data

    @property
    def result(self) -> dict[str, Any]:
        """What was answered, in the form of a file of answers. Only after :meth:`is_valid`."""
        data = self.cleaned_data
        answers = {key: self._value(question) for key, question in self.method.questions.items()}
        answers = {key: value for key, value in answers.items() if value is not None}
        if datasets := [item for number in range(self.rows) if (item := self._dataset(number)) is not None]:
            answers[DATASETS] = datasets
        keys = [*self.method.questions, DATASETS]
        reasons = {key: text for key in keys if (text := data.get(f"reason-{key}", "").strip())}
        return {"answers": answers, "reasons": reasons}

    def _value(self, question: Question) -> Any:
        value = self.cleaned_data[f"answer-{question.key}"]
        if question.type == "bool":
            return {"yes": True, "no": False}.get(value)
        return None if value == "" else value

    def _dataset(self, number: int) -> dict[str, Any] | None:
        name, data, identification = (self.cleaned_data[f"{DATASETS}-{number}-{part}"] for part in _PARTS)
        category, _colon, by = data.partition(":")
        given = {"name": name.strip(), "category": category, "identification": identification}
        found: dict[str, Any] = {key: value for key, value in given.items() if value}
        if by:
            found["adjustment"] = int(by)
        return found or None

    def _initial(self, given: Mapping[str, Any]) -> dict[str, Any]:
        answers, reasons = given.get("answers", {}), given.get("reasons", {})
        initial: dict[str, Any] = {f"reason-{key}": text for key, text in reasons.items()}
        for key, question in self.method.questions.items():
            value = answers.get(key)
            if question.type in NUMBERS:
                value = shown_number(value)
            elif question.type == "bool" and value is not None:
                value = "yes" if value else "no"
            initial[f"answer-{key}"] = "" if value is None else value
        for number, item in enumerate(answers.get(DATASETS, [])):
            by = item.get("adjustment")
            data = item.get("category", "") + (f":{by}" if by is not None else "")
            values = (item.get("name", ""), data, item.get("identification", ""))
            initial |= {f"{DATASETS}-{number}-{part}": value for part, value in zip(_PARTS, values, strict=True)}
        return initial

    def _rows(self, given: Mapping[str, Any]) -> int:
        """As many as were sent, or those there are and one more."""
        if self.is_bound:
            sent = [
                int(match[1]) for name in self.data if (match := re.fullmatch(rf"{DATASETS}-(\d{{1,3}})-name", name))
            ]
            return min(max(sent, default=0) + 1, ROWS_AT_MOST)
        return min(len(given.get("answers", {}).get(DATASETS, [])) + 1, ROWS_AT_MOST)

    def _field(self, question: Question) -> forms.Field:
        label = question.text.get(self.language)
        if question.type in NUMBERS:
            return NumberRange(label=label, decimals=question.type == "amount")
        choices = [(key, text.get(self.language)) for key, text in question.choices.items()] or list(YES_NO)
        few = len(choices) <= RADIOS_AT_MOST
        widget = forms.RadioSelect() if few else forms.Select(attrs={"class": "form-select form-control"})
        return forms.ChoiceField(label=label, choices=[*choices, NOT_ANSWERED], widget=widget, required=False)

    def _add_row(self, number: int) -> None:
        weights = self.weights
        if weights is None:
            return
        select = {"class": "form-select form-control"}
        eases = [(key, item.text.get(self.language)) for key, item in weights.identification.items()]
        fields = (
            forms.CharField(label=_("Name of the data set"), max_length=100, required=False),
            forms.ChoiceField(
                label=weights.ask["category"].get(self.language),
                choices=[NOT_ANSWERED, *self._categories(weights)],
                widget=forms.Select(attrs=select),
                required=False,
            ),
            forms.ChoiceField(
                label=weights.ask["identification"].get(self.language),
                choices=[NOT_ANSWERED, *eases],
                widget=forms.Select(attrs=select),
                required=False,
            ),
        )
        for part, field in zip(_PARTS, fields, strict=True):
            self.fields[f"{DATASETS}-{number}-{part}"] = field

    def _categories(self, weights: Weights) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Each kind of data with the scores its context can give; a kind may be known before its context is."""
        for key, item in weights.categories.items():
            options = [(key, str(_("%(basic)s, context not judged yet") % {"basic": item.basic}))]
            options += [
                (f"{key}:{by}", f"{item.basic + by}: {text.get(self.language)}")
                for by, text in item.adjustments.items()
            ]
            yield item.text.get(self.language), options


_PARTS = ("name", "data", "identification")


def _reason_field() -> forms.CharField:
    named = forms.TextInput(attrs={"aria-label": _("Reason or source")})
    return forms.CharField(label=_("Reason or source"), max_length=2000, required=False, widget=named)


class AdoptLevelForm(forms.Form):
    """Adopt a level of what was worked out. The answers come along as they were, whatever is typed above meanwhile."""

    chosen = forms.ChoiceField(label=_("Level to adopt"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Reason (needed only when you depart from the proposal)"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=4000,
        required=False,
    )
    answers = forms.CharField(widget=forms.HiddenInput, max_length=200_000)
    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, method: Method, settled: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self.method = method
        language = get_language() or "en"
        self.fields["chosen"].choices = [(level.key, level.text.get(language)) for level in method.levels]
        self.fields["chosen"].error_messages["required"] = _("Choose a level.")
        if not settled:
            self.fields["reason"].label = _("Reason (needed: the result is still open)")

    def clean_answers(self) -> dict[str, Any]:
        """The answers, as a file of answers has them."""
        try:
            found = json.loads(self.cleaned_data["answers"])
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise forms.ValidationError(_("The answers cannot be read. Work it out again."), code="answers")
        return found

    def clean_digest(self) -> str:
        """The method must be the one whose result was seen."""
        if self.cleaned_data["digest"] != self.method.digest:
            # The page that says so shows the new result, so the next word is on that.
            self.data = {**self.data.dict(), "digest": self.method.digest}
            raise forms.ValidationError(_("The method changed meanwhile. Work it out again."), code="changed")
        return self.method.digest
