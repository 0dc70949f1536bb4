"""Write every form in every stage, filled with its sample, as PDF, and its machine-readable version if it has one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from compliance.library import get_library
from reports import exports
from reports.forms import Form, forms_for
from reports.forms.registry import all_forms, serving
from reports.forms.tailor import duty_of, tailored
from reports.render import to_pdf
from reports.sample import sample_statement


class Command(BaseCommand):
    """``sample_forms --out DIR [--form KEY ...] [--every-duty]``."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, required=True)
        parser.add_argument("--form", nargs="*", help="only these forms")
        parser.add_argument("--every-duty", action="store_true", help="also the filing of every stage of the library")

    def handle(self, *args: Any, **options: Any) -> None:
        options["out"].mkdir(parents=True, exist_ok=True)
        named = [*_folders(), *(_duties() if options["every_duty"] else ())]
        for name, form, stage in named:
            if options["form"] and form.key not in options["form"]:
                continue
            path = options["out"] / f"{name}.pdf"
            statement = sample_statement(form, stage)
            path.write_bytes(to_pdf(statement))
            if exports.format_of(statement):
                path.with_suffix(".json").write_bytes(exports.export(statement))
            self.stdout.write(str(path))


def _folders() -> Iterator[tuple[str, Form, str]]:
    """Every form folder in every stage; one that takes words over from a duty, with those of the first it answers."""
    for form in all_forms().values():
        for stage in form.stages:
            first = next((item for item in form.serves if item.form_stage == stage), None)
            made = tailored(form, duty_of(first.rule, first.stage)) if first else form
            yield f"{form.key}-{stage}", made, stage


def _duties() -> Iterator[tuple[str, Form, str]]:
    """Every stage of the library that no look-alike answers, and every one whose form carries the law's own list."""
    for rule in get_library().rules.values():
        for key in sorted({stage.key for version in rule.versions for stage in version.stages}):
            form, stage = forms_for(rule.key, key)[0]
            if not serving(rule.key, key) or form.contents is not None:
                yield f"duty-{rule.key}-{key}", form, stage
