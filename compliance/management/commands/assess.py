"""Which duties follow from a file of facts."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from compliance import clock
from compliance.cli import bad_input_exits, table
from compliance.engine import Duty, LawError, Library, LocalText, Status, TimeError, assess, in_zone, parse_instant
from compliance.engine.inputs import read_request, schema
from compliance.engine.strict import Node, read_yaml
from compliance.library import get_library


class Command(BaseCommand):
    """``assess FILE``: YAML or JSON with entity, facts, people and submissions; ``-`` reads standard input."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="YAML or JSON; - for standard input")
        parser.add_argument("--as-of", help="ISO 8601 with offset; default: now")
        parser.add_argument("--format", choices=("json", "table"), default="table")
        parser.add_argument("--lang", choices=("ko", "en"), default="en")
        parser.add_argument("--schema", action="store_true", help="print the JSON Schema of FILE")
        parser.add_argument("--explain", metavar="RULE", help="say why this rule does or does not apply")

    def handle(self, *args: Any, **options: Any) -> None:
        library = get_library()
        if options["schema"]:
            self.stdout.write(json.dumps(schema(library), ensure_ascii=False, indent=2))
            return
        with bad_input_exits():
            node = _read(options["file"])
            request = read_request(node, library)
            as_of = _as_of(options["as_of"])
            if options["explain"] and options["explain"] not in library.rules:
                raise LawError("--explain", options["explain"], f"expected one of {', '.join(library.rules)}")
        found = assess(library, request.sheet, request.entity, as_of)
        if options["format"] == "json":
            self.stdout.write(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
            return
        language = options["lang"]
        wanted = [duty for duty in found.duties if options["explain"] in (None, duty.rule)]
        if options["explain"]:
            self._explain(options["explain"], wanted, language)
        else:
            self._table(wanted, found.questions, library, language)

    def _table(self, duties: list[Duty], questions: tuple[str, ...], library: Library, language: str) -> None:
        head = {"ko": ("상태", "기한", "의무", "대상", "근거"), "en": ("status", "due", "duty", "to", "citation")}[
            language
        ]
        rows = [_row(duty, language) for duty in duties]
        self.stdout.write(table(head, rows))
        if questions:
            self.stdout.write("\n" + {"ko": "먼저 답할 질문:", "en": "Questions that decide most:"}[language])
            for number, name in enumerate(questions, start=1):
                self.stdout.write(f"  {number}. {library.facts[name].question.get(language)}  [{name}]")

    def _explain(self, rule: str, duties: list[Duty], language: str) -> None:
        if not duties:
            text = LocalText(
                ko=f"{rule}: 이 날짜에 시행 중인 법령이 없어 의무가 없습니다.",
                en=f"{rule}: no version of it is in force on the date that decides; there is no duty.",
            )
            self.stdout.write(text.get(language))
        for duty in duties:
            self.stdout.write(
                f"{duty.title.get(language)} ({duty.rule}/{duty.stage}): {STATUS[duty.status].get(language)}"
            )
            for reason in duty.because:
                cited = f" ({reason.citation})" if reason.citation else ""
                self.stdout.write(f"  - {reason.text.get(language)}{cited}")
            for step in duty.trace:
                self.stdout.write(f"    {step.text.get(language)}{_local(step.at, duty)}")


STATUS = {
    Status.REQUIRED: LocalText(ko="해당", en="required"),
    Status.POSSIBLE: LocalText(ko="판단 필요", en="possible"),
    Status.NOT_REQUIRED: LocalText(ko="해당 없음", en="not required"),
}


def _row(duty: Duty, language: str) -> tuple[str, ...]:
    due = _local(duty.due_at, duty).strip() or duty.limit.get(language)
    return (
        STATUS[duty.status].get(language),
        due if duty.status != Status.NOT_REQUIRED else "-",
        f"{duty.title.get(language)} [{duty.rule}/{duty.stage}]",
        duty.addressees[0].get(language),
        duty.citations[0].provision.get(language),
    )


def _local(at: datetime | None, duty: Duty) -> str:
    if at is None:
        return ""
    written = in_zone(at, duty.due_zone)
    return f" {written[:10]} {written[11:16]} {written[-6:]}"


def _read(name: str | None) -> Node:
    if name is None:
        raise LawError("assess", "FILE", "expected a file, or - for standard input")
    if name == "-":
        return Node(read_yaml(sys.stdin.read(), file="(standard input)"), file="(standard input)", key="")
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise LawError(name, "FILE", f"expected a readable UTF-8 file ({reason})") from None
    return Node(read_yaml(text, file=name), file=name, key="")


def _as_of(given: str | None) -> datetime:
    if given is None:
        return clock.now()
    try:
        return parse_instant(given)
    except TimeError as error:
        raise LawError("--as-of", given, error.en) from None
