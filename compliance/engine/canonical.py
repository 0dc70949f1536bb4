"""One way to write a value down, and one digest of it, for everything that is ever compared or sealed."""

import hashlib
import json
from typing import Any

from compliance.engine.errors import EngineError


def canonical_json(value: Any) -> bytes:
    """``value`` as JSON in UTF-8 with sorted keys and no spaces. Equal values give equal bytes.

    Raises:
        EngineError: a float, or anything JSON does not know (instants must be ISO strings already).
    """
    _refuse_floats(value)
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise EngineError(f"cannot be written as canonical JSON: {error}") from error
    return text.encode("utf-8")


def digest(value: Any) -> str:
    """The SHA-256 of :func:`canonical_json`, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _refuse_floats(value: Any) -> None:
    """Subclasses too: what json writes as a number, a list or a mapping is one. Most values are plain texts: passed over."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise EngineError(f"{key!r}: expected a text as key")
            if type(item) is not str:
                _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            if type(item) is not str:
                _refuse_floats(item)
    elif isinstance(value, float):
        raise EngineError(f"{value!r}: floats differ between machines; expected an integer or a string")
