"""Write every form in every stage, filled with its sample, as PDF."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from reports.forms.registry import all_forms
from reports.render import to_pdf
from reports.sample import sample_statement


class Command(BaseCommand):
    """``sample_forms --out DIR``."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        options["out"].mkdir(parents=True, exist_ok=True)
        for form in all_forms().values():
            for stage in form.stages:
                path = options["out"] / f"{form.key}-{stage}.pdf"
                path.write_bytes(to_pdf(sample_statement(form, stage)))
                self.stdout.write(str(path))
