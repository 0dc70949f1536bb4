"""Which duties follow from a file of facts."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from compliance import clock
from compliance.cli import bad_input_exits, expected_rule, table
from compliance.engine import (
    Assessment,
    Duty,
    LawError,
    Library,
    LocalText,
    Standard,
    Status,
    TimeError,
    assess,
    in_zone,
    parse_instant,
    together,
)
from compliance.engine.inputs import read_requests, schema
from compliance.engine.strict import Node, read_yaml
from compliance.library import get_library

QUESTIONS_SHOWN = 5


class Command(BaseCommand):
    """``assess FILE``: YAML or JSON with entity (or entities), facts, people and submissions; ``-`` reads standard input."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="YAML or JSON; - for standard input")
        parser.add_argument("--as-of", help="ISO 8601 with offset; default: now")
        parser.add_argument("--law-on", help="what if: every rule as in force on this date, such as 2026-10-01")
        parser.add_argument("--format", choices=("json", "table"), default="table")
        parser.add_argument("--lang", choices=("ko", "en"), default="en")
        parser.add_argument(
            "--all", action="store_true", help="list also the duties that do not apply, and every open question"
        )
        parser.add_argument("--schema", action="store_true", help="print the JSON Schema of FILE")
        parser.add_argument("--explain", metavar="RULE", help="say why this rule does or does not apply")

    def handle(self, *args: Any, **options: Any) -> None:
        library = get_library()
        if options["schema"]:
            self.stdout.write(json.dumps(schema(library), ensure_ascii=False, indent=2))
            return
        with bad_input_exits():
            requests = read_requests(_read(options["file"]), library)
            as_of, law_on = _as_of(options["as_of"]), _law_on(options["law_on"])
            if options["explain"] and options["explain"] not in library.rules:
                raise LawError("--explain", options["explain"], expected_rule(options["explain"], library))
        found = together([assess(library, item.sheet, item.entity, as_of, law_on=law_on) for item in requests])
        names = {item.entity.key: item.entity.name or item.entity.key for item in requests}
        if options["format"] == "json":
            self.stdout.write(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
        elif options["explain"]:
            self._explain(options["explain"], found, options["lang"])
        else:
            self._tables(found, library, names, options)

    def _tables(self, found: Assessment, library: Library, names: dict[str, str], options: dict[str, Any]) -> None:
        language = options["lang"]
        groups: dict[str, list[Duty]] = {key: [] for key in _GROUPS}
        for duty in found.duties:
            groups[_group(duty)].append(duty)
        for key, duties in groups.items():
            if key == "not_required" and not options["all"]:
                continue
            if duties:
                self.stdout.write(f"{_GROUPS[key].get(language)} ({len(duties)})")
                self.stdout.write(_table(duties, names, language) + "\n")
        if not options["all"]:
            self.stdout.write(_SETTLED.get(language).format(len(groups["not_required"])))
        self._questions(found, library, language, everything=options["all"])

    def _questions(self, found: Assessment, library: Library, language: str, *, everything: bool) -> None:
        if not found.questions:
            return
        bears_on = Counter(name for duty in found.duties for name in duty.questions)
        shown = found.questions if everything else found.questions[:QUESTIONS_SHOWN]
        self.stdout.write("\n" + {"ko": "먼저 답할 질문:", "en": "Questions that decide most:"}[language])
        for number, name in enumerate(shown, start=1):
            count = {"ko": f"의무 {bears_on[name]}건", "en": f"bears on {bears_on[name]} duties"}[language]
            self.stdout.write(f"  {number}. {library.facts[name].question.get(language)}  [{name}] ({count})")
        if len(shown) < len(found.questions):
            more = len(found.questions) - len(shown)
            self.stdout.write({"ko": f"  그 밖에 {more}개(--all)", "en": f"  and {more} more (--all)"}[language])

    def _explain(self, rule: str, found: Assessment, language: str) -> None:
        duties = [duty for duty in found.duties if duty.rule == rule]
        notices = [notice for notice in found.notices if notice.rule == rule]
        for notice in notices:
            self.stdout.write(f"{rule} {notice.version}: {_STANDING[notice.standing].get(language)}")
            self.stdout.write(f"  {notice.says.get(language)}")
        if not duties and not notices:
            self.stdout.write(_NO_VERSION.get(language).format(rule))
        for duty in duties:
            self.stdout.write("\n".join(_explained(duty, language)))


STATUS = {
    Status.REQUIRED: LocalText(ko="해당", en="required"),
    Status.POSSIBLE: LocalText(ko="판단 필요", en="possible"),
    Status.NOT_REQUIRED: LocalText(ko="해당 없음", en="not required"),
}
_GROUPS = {
    "due": LocalText(ko="기한이 정해진 의무", en="Due by a moment"),
    "open": LocalText(ko="지금 바로 하여야 하는 의무(법에 시간 수 없음)", en="Open now (the law sets no number)"),
    "waiting": LocalText(ko="시작을 기다리는 의무", en="Waiting for what starts them"),
    "possible": LocalText(ko="해당할 수 있는 의무(먼저 답할 질문이 있음)", en="Possible (a question is open)"),
    "not_required": LocalText(ko="해당하지 않는 의무", en="Not required"),
}
_SETTLED = LocalText(
    ko="해당하지 않는 의무 {}건(--all로 모두, --explain RULE로 이유를 봄)",
    en="{} duties do not apply (--all lists them, --explain RULE says why)",
)
_NO_VERSION = LocalText(
    ko="{}: 이 날짜에 시행 중인 법령이 없어 의무가 없습니다.",
    en="{}: no version of it is in force on the date that decides; there is no duty.",
)
_STANDING = {
    "proposed": LocalText(ko="제안된 법령(의무 없음)", en="proposed, no duty"),
    "not_in_force": LocalText(ko="시행 중이 아님(의무 없음)", en="not in force, no duty"),
    "not_confirmed": LocalText(ko="시행이 확인되지 않음(의무 없음)", en="not confirmed to be in force, no duty"),
}


def _group(duty: Duty) -> str:
    if duty.status is not Status.REQUIRED:
        return duty.status.value
    if duty.due_at is not None:
        return "due"
    return "open" if duty.starts_at is not None else "waiting"


def _table(duties: Sequence[Duty], names: dict[str, str], language: str) -> str:
    head = {
        "ko": ("기한", "법인", "의무", "받는 곳", "근거"),
        "en": ("due", "entity", "duty", "to", "citation"),
    }[language]
    rows = [_row(duty, names, language) for duty in duties]
    if len(names) == 1:
        head, rows = head[:1] + head[2:], [row[:1] + row[2:] for row in rows]
    return table(head, rows)


def _row(duty: Duty, names: dict[str, str], language: str) -> tuple[str, ...]:
    due = _moment(duty) or duty.limit.get(language)
    if duty.provisional and duty.due_at is not None:
        due += {"ko": " (임시)", "en": " (provisional)"}[language]
    repeated = f" {duty.occurrence}" if duty.occurrence else ""
    return (
        due if duty.status is not Status.NOT_REQUIRED else "-",
        names[duty.entity],
        f"{duty.title.get(language)} [{duty.rule}/{duty.stage}{repeated}]",
        duty.addressees[0].get(language) if duty.addressees else "-",
        duty.citations[0].provision.get(language),
    )


def _moment(duty: Duty) -> str:
    """The due moment as lawyers write it: a period of days ends at 24:00 of its last day, not at 00:00 of the next."""
    if duty.due_at is None:
        return ""
    written = in_zone(duty.due_at, duty.due_zone)
    if written[11:16] != "00:00" or duty.standard in _CLOCK_UNITS:
        return _local(duty.due_at, duty).strip()
    last = date.fromisoformat(written[:10]) - timedelta(days=1)
    return f"{last} 24:00 {written[-6:]}"


_CLOCK_UNITS = (Standard.MINUTES, Standard.HOURS)


def _explained(duty: Duty, language: str) -> list[str]:
    lines = [f"{duty.title.get(language)} ({duty.rule}/{duty.stage}): {STATUS[duty.status].get(language)}"]
    for reason in duty.because:
        cited = f" ({reason.citation})" if reason.citation else ""
        lines.append(f"  - {reason.text.get(language)}{cited}")
    lines += [f"    {step.text.get(language)}{_local(step.at, duty)}" for step in duty.trace]
    if duty.guidance is not None:
        lines.append(f"    ~ {duty.guidance.text.get(language)}{_local(duty.guidance.at, duty)}")
    lines += [f"    > {item.text.get(language)}{_local(item.due_at, duty)}" for item in duty.later]
    if duty.law.note is not None:
        lines.append(f"    {duty.law.note.get(language)}")
    if duty.doubts is not None:
        lines.append(f"    ? {duty.doubts.get(language)}")
    return lines


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


def _law_on(given: str | None) -> date | None:
    if given is None:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise LawError("--law-on", given, "expected a date such as 2026-10-01") from None
