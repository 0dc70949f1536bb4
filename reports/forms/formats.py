"""How a value must be written where a receiver checks it: the pattern and what to say to a person."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from compliance.engine import LocalText

if TYPE_CHECKING:
    from reports.forms.registry import Field


@dataclass(frozen=True, slots=True)
class Format:
    """A pattern for the whole value, and the form that is expected."""

    pattern: re.Pattern[str]
    says: LocalText


def _format(pattern: str, ko: str, en: str) -> Format:
    return Format(re.compile(pattern), LocalText(ko, en))


# E-mail, telephone, LEI and duration as the DORA data standard (IR-1.2) checks them; currency and countries as ISO 4217 and
# ISO 3166 write them.
FORMATS = {
    "email": _format(r"[^@\s]+@[^@\s]+\.[^@\s]+", "전자우편 주소(name@example.com)", "an e-mail address (name@example.com)"),
    "phone": _format(
        r"\+?[1-9]\d{1,14}(\s?\(\d+\))?([-\s.]?\d+)*", "국가번호를 포함한 전화번호(+82-2-000-0000)", "a number with country code (+82-2-000-0000)"
    ),
    "lei": _format(r"[A-Z0-9]{18}[0-9]{2}", "20자리 LEI", "an LEI of 20 characters"),
    "duration": _format(r"\d{1,3}:(?:[01]\d|2[0-3]):[0-5]\d", "일:시:분(01:06:30)", "days:hours:minutes (01:06:30)"),
    "date": _format(r"\d{4}-\d{2}-\d{2}", "날짜(2026-11-02)", "a date (2026-11-02)"),
    "currency": _format(r"[A-Z]{3}", "통화 코드(EUR)", "a currency code (EUR)"),
    "countries": _format(r"[A-Z]{2}(?:, ?[A-Z]{2})*", "국가 코드(DE, FR)", "country codes (DE, FR)"),
    "percentage": _format(r"(?:100(?:\.0)?|\d{1,2}(?:\.\d)?)", "백분율, 소수 한 자리까지(12.5)", "a percentage with one decimal (12.5)"),
    "amount": _format(r"\d{1,15}(?:\.\d{1,2})?", "금액(숫자만, 150000)", "an amount in figures (150000)"),
    "whole": _format(r"\d{1,15}", "정수(숫자만, 5561)", "a whole number in figures (5561)"),
}  # fmt: skip


def chosen(text: str) -> list[str]:
    """The option keys in a stored value of several choices."""
    return [part.strip() for part in text.split(",") if part.strip()]


def problem(item: "Field", text: str) -> LocalText | None:
    """What is expected in ``item`` in place of ``text``; None if it is well written."""
    if item.type in ("choice", "choices"):
        wrong = [key for key in (chosen(text) if item.type == "choices" else [text]) if key not in item.options]
        return _one_of(item.options) if wrong else None
    if item.type == "boolean" and text not in ("true", "false"):
        return LocalText("true 또는 false", "true or false")
    form = FORMATS[item.format] if item.format else None
    if form is not None and not form.pattern.fullmatch(text):
        return form.says
    return form.says if form is not None and item.format == "date" and not _is_day(text) else None


def _one_of(options: Iterable[str]) -> LocalText:
    listed = ", ".join(options)
    return LocalText(f"{listed} 중에서", f"one of {listed}")


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
