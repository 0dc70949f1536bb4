"""What a severity or classification method proposes for a file of answers. Nothing is written."""

import json
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from compliance.cli import bad_input_exits, table
from compliance.engine import LawError, LocalText
from compliance.engine.scoring import Method, Proposal, Step, calculate, read_answers, schema
from compliance.engine.strict import Node, read_yaml
from compliance.library import get_methods

STDIN = "(standard input)"


class Command(BaseCommand):
    """``score METHOD FILE``: YAML or JSON with answers and reasons; ``-`` reads standard input."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("method", help="enisa, edpb, dora, hipaa, ...")
        parser.add_argument("file", nargs="?", help="YAML or JSON; - for standard input")
        parser.add_argument("--format", choices=("json", "table"), default="table")
        parser.add_argument("--lang", choices=("ko", "en"), default="en")
        parser.add_argument("--schema", action="store_true", help="print the JSON Schema of FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        with bad_input_exits():
            method = _method(get_methods(), options["method"])
            if options["schema"]:
                self.stdout.write(json.dumps(schema(method), ensure_ascii=False, indent=2))
                return
            proposal = calculate(method, read_answers(_read(options["file"]), method))
        if options["format"] == "json":
            self.stdout.write(json.dumps(proposal.to_json(), ensure_ascii=False, indent=2))
            return
        self.stdout.write("\n".join(_shown(proposal, options["lang"])))


def _method(methods: Mapping[str, Method], name: str) -> Method:
    if name not in methods:
        close = get_close_matches(name, methods, n=1)
        hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(methods)}"
        raise LawError("score", name, f"unknown method; {hint}")
    return methods[name]


def _read(name: str | None) -> Node:
    if name is None:
        raise LawError("score", "FILE", "expected a file, or - for standard input")
    if name == "-":
        return Node(read_yaml(sys.stdin.read(), file=STDIN), file=STDIN, key="")
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise LawError(name, "FILE", f"expected a readable UTF-8 file ({reason})") from None
    return Node(read_yaml(text, file=name), file=name, key="")


HEAD = {"ko": ("값", "근거", "단계"), "en": ("value", "source", "step")}  # the long texts last
WORDS = {
    "proposal": LocalText(ko="제안", en="proposal"),
    "undetermined": LocalText(ko="정해지지 않음", en="undetermined"),
    "facts": LocalText(ko="제안하는 사실", en="proposes"),
    "house": LocalText(ko="내부 기준", en="house rule"),
    "open": LocalText(ko="아직 답하지 않은 질문:", en="Open questions:"),
    "beside": LocalText(ko="결과 옆에 기록:", en="Recorded beside the result:"),
    "readings": LocalText(ko="다른 읽기:", en="Other readings:"),
    "to_record": LocalText(ko="기록에 빠진 것:", en="Missing from the record:"),
    "doubts": LocalText(ko="의문과 한계", en="Doubts"),
    "confidence": LocalText(ko="신뢰도", en="confidence"),
    "unchecked": LocalText(ko="원문 미확인", en="not checked"),
}
CONFIDENCE = {
    "high": LocalText(ko="높음", en="high"),
    "medium": LocalText(ko="보통", en="medium"),
    "low": LocalText(ko="낮음", en="low"),
}
VALUES = {
    "true": LocalText(ko="예", en="yes"),
    "false": LocalText(ko="아니요", en="no"),
    "unknown": LocalText(ko="모름", en="unknown"),
}


def _shown(proposal: Proposal, language: str) -> list[str]:
    word = {key: text.get(language) for key, text in WORDS.items()}
    rows = [_row(step, word, language) for step in proposal.working]
    lines = [f"{proposal.title.get(language)} ({proposal.method} {proposal.version}, {proposal.digest[:16]})", ""]
    lines += [table(HEAD[language], rows), "", *_result(proposal, word, language)]
    beside = [
        f"{item.text.get(language)}: {item.shown.get(language)}" + (f" ({item.reason})" if item.reason else "")
        for item in proposal.beside
    ]
    readings = [
        f"{item.text.get(language)} [{item.lowest if item.lowest == item.highest else f'{item.lowest}..{item.highest}'}]"
        for item in proposal.readings
    ]
    lines += _list(word["open"], [f"{item.text.get(language)}  [{item.key}]" for item in proposal.open])
    lines += _list(word["beside"], beside)
    lines += _list(word["readings"], readings)
    lines += _list(word["to_record"], [text.get(language) for text in proposal.to_record])
    doubts = f"{word['doubts']} ({word['confidence']} {CONFIDENCE[proposal.confidence].get(language)}):"
    return lines + _list(doubts, [text.get(language) for text in proposal.doubts])


def _result(proposal: Proposal, word: dict[str, str], language: str) -> list[str]:
    lines = []
    if proposal.value and proposal.value_text:
        lines.append(f"{proposal.value_text.get(language)}: {proposal.value}")
    if proposal.level is None:
        span = f"{proposal.lowest.text.get(language)} .. {proposal.highest.text.get(language)}"
        return [*lines, f"{word['proposal']}: {word['undetermined']}: {span}", proposal.until_decided.get(language)]
    lines.append(f"{word['proposal']}: {proposal.level.text.get(language)}. {proposal.level.meaning.get(language)}")
    if proposal.level.house:
        lines.append(proposal.level.house.get(language))
    if proposal.proposes:
        facts = ", ".join(f"{name} = {json.dumps(value)}" for name, value in proposal.proposes.items())
        lines.append(f"{word['facts']}: {facts}")
    return lines


def _row(step: Step, word: dict[str, str], language: str) -> tuple[str, str, str]:
    house = f" [{word['house']}]" if step.house else ""
    answered = [f"{key}: {_plain(value)}" for key, value in step.answers.items() if value is not None]
    shown = [text.get(language) for text in step.detail] or answered
    reasons = f" <- {'; '.join(step.reasons)}" if step.reasons else ""
    text = step.text.get(language) + house + (f" ({'; '.join(shown)})" if shown else "") + reasons
    value = VALUES[step.value].get(language) if step.value in VALUES else step.value
    return value, _cited(step, word, language), text


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _cited(step: Step, word: dict[str, str], language: str) -> str:
    if step.source is None:
        return ""
    checked = step.source.checked_on.isoformat() if step.source.checked_on else word["unchecked"]
    cited = f"{step.source.provision.get(language)}, {checked}"
    return cited if step.house else f"{cited}, {word['confidence']} {CONFIDENCE[step.confidence].get(language)}"


def _list(head: str, items: list[str]) -> list[str]:
    return ["", head, *(f"  - {item}" for item in items)] if items else []
