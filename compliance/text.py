"""Text that people type: without the control characters that databases refuse and paper can't show."""

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\ufeff\ud800-\udfff]")


def clean(text: str) -> str:
    """``text`` with line ends as \\n, without control characters and surrounding blanks."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
