"""Machine-readable versions of filings, made from the frozen statement: one module per format, each with ``export``."""

import json
from collections.abc import Mapping
from typing import Any

from reports.exports import dora, edpb
from reports.forms import get_form

FORMATS = {"edpb": edpb.export, "dora": dora.export}


def format_of(statement: Mapping[str, Any]) -> str | None:
    """The format that a statement's form has, or None."""
    return get_form(statement["form"]["key"]).export


def export(statement: Mapping[str, Any]) -> bytes:
    """The statement in its form's own format, as JSON: the same statement gives the same bytes.

    Raises:
        ValueError: the form has none.
    """
    name = format_of(statement)
    if name is None:
        raise ValueError(f"{statement['form']['key']}: expected a form with a machine-readable version")
    made = FORMATS[name](statement)
    return json.dumps(made, ensure_ascii=False, sort_keys=True, indent=2, allow_nan=False).encode()
