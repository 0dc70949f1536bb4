"""Write a frozen filing in the machine-readable format of its authority."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from jsonschema.exceptions import SchemaError
from jsonschema.validators import validator_for

from reports import exports
from reports.models import Filing


class Command(BaseCommand):
    """``export_filing INCIDENT NUMBER --format edpb|dora --out FILE [--schema FILE]``."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("incident", help="the incident's code")
        parser.add_argument("number", type=int, help="the filing's number within the incident")
        parser.add_argument("--format", required=True, choices=sorted(exports.FORMATS))
        parser.add_argument("--out", type=Path, required=True)
        parser.add_argument("--schema", type=Path, help="the authority's JSON Schema, to check against before writing")

    def handle(self, *args: Any, **options: Any) -> None:
        statement = _statement(options["incident"], options["number"], options["format"])
        content = exports.export(statement)
        if options["schema"]:
            _check(json.loads(content), options["schema"])
        options["out"].write_bytes(content)
        self.stdout.write(str(options["out"]))


def _statement(code: str, number: int, wanted: str) -> dict[str, Any]:
    filing = Filing.objects.filter(incident__code=code, number=number).first()
    if filing is None or filing.statement is None:
        raise CommandError(f"{code}/F{number}: expected a frozen filing", returncode=2)
    statement: dict[str, Any] = filing.statement
    if exports.format_of(statement) != wanted:
        raise CommandError(f"{code}/F{number}: {filing.form} has no format {wanted}", returncode=2)
    return statement


def _check(made: Any, path: Path) -> None:
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
        found = sorted(validator_for(schema)(schema).iter_errors(made), key=lambda error: list(map(str, error.path)))
    except (OSError, ValueError, SchemaError) as error:
        raise CommandError(f"{path}: expected a JSON Schema ({error})", returncode=2) from error
    if found:
        where = "/".join(map(str, found[0].path)) or "the whole"
        raise CommandError(f"{where}: {found[0].message} ({len(found)} in all)", returncode=2)
