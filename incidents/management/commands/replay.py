"""Play a dated timeline of facts and actions through the real services on a simulated clock."""

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from compliance.cli import BAD_INPUT, bad_input_exits, duration, table
from compliance.errors import Refused
from incidents import replay
from incidents.scratch import scratch_database


class Command(BaseCommand):
    """``replay SCENARIO.yaml``. Plays in a private, temporary database unless ``--keep`` is given."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("scenario", type=Path)
        parser.add_argument("--format", choices=("json", "table"), default="table")
        parser.add_argument("--out", type=Path, help="write the PDFs into this folder")
        parser.add_argument("--keep", action="store_true", help="play into the configured database")
        parser.add_argument("--lang", choices=("ko", "en"), default="en")
        parser.add_argument("--quiet", action="store_true", help="no progress")

    def handle(self, *args: Any, **options: Any) -> None:
        with bad_input_exits():
            scenario = replay.load(options["scenario"])
            try:
                if options["keep"]:
                    result = self._play(scenario, options)
                else:
                    with scratch_database():
                        result = self._play(scenario, options)
            except Refused as refused:
                sys.stderr.write(f"{refused}\n")
                raise SystemExit(BAD_INPUT) from None
        if options["format"] == "json":
            self.stdout.write(json.dumps(result, ensure_ascii=False, indent=2))
        else:
            self.stdout.write(described(result, options["lang"]))

    def _play(self, scenario: replay.Scenario, options: dict[str, Any]) -> dict[str, Any]:
        def progress(line: str) -> None:
            if not options["quiet"]:
                sys.stderr.write(line + "\n")
                sys.stderr.flush()

        return replay.result(replay.play(scenario, progress=progress), out=options["out"])


def described(result: dict[str, Any], language: str) -> str:
    """The result as a table of clocks, the escalations and the filings."""
    legend = {
        "en": "Times are local to the authority. * drives the clock; the other candidates show what they would change.",
        "ko": "시각은 관할 기관의 현지 시각입니다. * 표시가 시계 기준이며, 나머지는 다른 인지 시점의 결과입니다.",
    }[language]
    parts = [clock_table(result["clocks"], language), legend, "", escalation_list(result["escalations"], language)]
    filings = [
        (
            row["filing"],
            row["form"],
            row["stage"],
            _minute(row["submitted_at"]),
            _late_mark(row["late"], language),
            row["sha256"][:16],
        )
        for row in result.get("filings", [])
    ]
    if filings:
        head = (
            ("filing", "form", "stage", "submitted", "", "sha256")
            if language == "en"
            else ("신고", "서식", "단계", "제출", "", "sha256")
        )
        parts += ["", table(head, filings)]
    return "\n".join(parts)


def clock_table(clocks: list[dict[str, Any]], language: str) -> str:
    """One line per clock and awareness candidate; the candidate that drives the clock is marked."""
    head = {
        "en": ("incident", "duty", "awareness", "starts", "due", "done", "result"),
        "ko": ("사건", "의무", "인지 시점", "기산", "기한", "이행", "결과"),
    }[language]
    return table(head, [_clock_row(row, language) for row in clocks])


def _clock_row(row: dict[str, Any], language: str) -> tuple[str, ...]:
    candidate = row["awareness_candidate"]
    mark = "* " if candidate["driving"] else "  "
    return (
        row["incident"],
        row["title"][language],
        mark + candidate["label"],
        _minute(row["starts_at"]),
        _minute(row["due_at"]) if row["due_at"] else row["limit"][language],
        _minute(row["done_at"]),
        _result(row, language),
    )


WORDS = {
    "met": ("in time", "기한 내"),
    "met_late": ("late by", "지연"),
    "overdue": ("not done, late by", "미이행, 지연"),
    "never_done": ("never reported", "신고하지 않음"),
    "possible": ("possible: not decided", "판단 필요"),
    "running": ("running", "진행"),
    "not_required": ("not required", "해당 없음"),
    "excused": ("excused", "예외"),
}


def _result(row: dict[str, Any], language: str) -> str:
    if row["status"] == "met" and row["due_at"] is None:
        return "이행(시간 수 없는 기준)" if language == "ko" else "done (no number in law)"
    word = WORDS[row["status"]][language == "ko"]
    if row["status"] in ("met_late", "overdue"):
        return f"{word} {hours(row['late_by_minutes'], language)}"
    return word


def hours(minutes: int, language: str) -> str:
    """Lateness in hours and minutes, as the cases are told: 57 h 57 min."""
    whole, rest = divmod(minutes, 60)
    if whole < HOURS_UNTIL:
        return f"{whole}시간 {rest}분" if language == "ko" else f"{whole} h {rest} min"
    return duration(timedelta(minutes=minutes), language)


HOURS_UNTIL = 240


def escalation_list(escalations: list[dict[str, Any]], language: str) -> str:
    """Every clock with the rungs it climbed; repeats are counted."""
    lines = [{"en": "Escalations", "ko": "에스컬레이션"}[language]]
    by_clock: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in escalations:
        by_clock.setdefault((row["incident"], row["clock"]), []).append(row)
    for (incident, clock), rows in by_clock.items():
        rungs = [
            f"{_minute(row['at'])} {row['rung']} → {'/'.join(row['to'])}"
            for row in rows
            if not row["rung"].startswith("repeat")
        ]
        repeats = sum(row["rung"].startswith("repeat") for row in rows)
        seen = sum(row["acknowledged_at"] is not None for row in rows)
        lines.append(f"  {incident} {clock}: {len(rows)} ({repeats} repeats, {seen} acknowledged)")
        lines += [f"    {rung}" for rung in rungs]
    return "\n".join(lines)


def _minute(at: str | None) -> str:
    return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M") if at else "-"


def _late_mark(late: bool, language: str) -> str:
    return {"en": "late", "ko": "지연"}[language] if late else ""
