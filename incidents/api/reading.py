"""Reading a request strictly, and the words answers are made of."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import override
from ninja import Schema
from ninja.parser import Parser
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from compliance.engine import LocalText, in_zone
from compliance.text import clean

DEEPEST = 16
MOST_DIGITS = 15
# No incident has a higher number of anything, and every database can hold it.
MOST = 2**31 - 1


class StrictParser(Parser):
    """JSON that means one thing: no key twice, no NaN, no endless number, not nested without end."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body.

        Raises:
            ValueError: it is none.
        """
        text = request.body.decode("utf-8")
        _require_shallow(text)
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant, parse_int=_integer)


def _require_shallow(text: str) -> None:
    """Refuse what is nested too deeply, before anything is built from it."""
    deep, quoted = 0, False
    for found in _MARKS.finditer(text):
        mark = found.group()
        if mark == '"':
            quoted = not quoted
        elif not quoted and mark in ("[", "{"):
            deep += 1
            if deep > DEEPEST:
                raise ValueError("too deep")
        elif not quoted and mark in ("]", "}"):
            deep -= 1


# An escaped quote ends no text.
_MARKS = re.compile(r'\\.|["\[\]{}]', re.DOTALL)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _value in pairs}) < len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def _no_constant(text: str) -> Any:
    raise ValueError(text[:20])


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > MOST_DIGITS:
        raise ValueError("too many digits")
    return int(text)


class Strict(Schema):
    """A body in which no key is allowed that is not described."""

    model_config = ConfigDict(extra="forbid", strict=False)


def words_of(most: int, least: int = 0) -> Any:
    """Text of so many characters, without those that no database and no paper holds."""
    return Annotated[str, StringConstraints(max_length=most, min_length=least), AfterValidator(clean)]


Short, Line, Text = words_of(100), words_of(500), words_of(20_000)
Key = Annotated[str, StringConstraints(max_length=120, pattern=r"^[A-Za-z0-9._:/#-]+$")]
Code = Annotated[str, StringConstraints(max_length=40, pattern=r"^[^\x00-\x1f/]+$")]
Number = Annotated[int, Field(ge=1, le=MOST)]
# What is given with its offset; years that every database and library can hold.
Moment = Annotated[AwareDatetime, BeforeValidator(lambda given: _written(given)), AfterValidator(lambda at: _sane(at))]
# What is answered: ISO 8601 with offset.
Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Flag = Annotated[bool, Field(strict=True)]


def _written(given: object) -> object:
    """A number is no date to us, whatever it would count."""
    if isinstance(given, str) and not _DATE.match(given):
        raise ValueError("date")
    if not isinstance(given, str | datetime):
        raise ValueError("date")
    return given


_DATE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d")


def _sane(at: datetime) -> datetime:
    if not 1970 <= at.year <= 9000:
        raise ValueError("year")
    return at


class Words(Schema):
    """A text in Korean and English."""

    ko: str
    en: str


def said(text: LocalText | Mapping[str, str]) -> dict[str, str]:
    """A text of the law or a form in both languages."""
    return text.to_json() if isinstance(text, LocalText) else {"ko": text["ko"], "en": text["en"]}


def both(text: str | Promise) -> dict[str, str]:
    """A word of the screen in both languages."""
    found = {}
    for language in ("ko", "en"):
        with override(language):
            found[language] = str(text)
    return found


def there(at: datetime | None, zone: str) -> str | None:
    """``at`` with the offset of ``zone``."""
    return in_zone(at, zone) if at is not None else None


def name_of(user: User | None) -> str | None:
    """How a person is named: by the name that signs in, as in the messages."""
    return user.get_username() if user is not None else None
