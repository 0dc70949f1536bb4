"""Text that people type: without the control characters that databases refuse and paper can't show."""

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\ufeff\ud800-\udfff]")


def clean(text: str) -> str:
    """``text`` with line ends as \\n, without control characters and surrounding blanks."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


# As many digits as every database holds.
_DIGITS = 18


def number_in(text: str | None) -> int | None:
    """The number that ``text`` is, if it is nothing but a few of the digits 0 to 9; for what stands in a form or an address.

    ``str.isdigit`` alone would let "\u00b2" through, and more digits than Python reads.
    """
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= _DIGITS else None
