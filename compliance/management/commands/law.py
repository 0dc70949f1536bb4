"""The law library: list it, show a rule, run its cases, walk it through time."""

import json
from collections import Counter
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from compliance.cli import bad_input_exits, table
from compliance.engine import LawError, Library, Rule, Version
from compliance.engine.cases import coverage, released_changes, run_cases, too_few
from compliance.library import get_library

FIRST, LAST = date(2023, 1, 1), date(2028, 12, 31)


class Command(BaseCommand):
    """``law list | show RULE | check | coverage``."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=("list", "show", "check", "coverage", "digests"))
        parser.add_argument("rule", nargs="?")
        parser.add_argument("--format", choices=("json", "table"), default="table")
        parser.add_argument("--lang", choices=("ko", "en"), default="en")

    def handle(self, *args: Any, **options: Any) -> None:
        library = get_library()
        with bad_input_exits():
            getattr(self, f"_{options['what']}")(library, options)

    def _list(self, library: Library, options: dict[str, Any]) -> None:
        if options["format"] == "json":
            self.stdout.write(
                json.dumps([_summary(rule) for rule in library.rules.values()], ensure_ascii=False, indent=2)
            )
            return
        language = options["lang"]
        rows = [
            (
                rule.key,
                rule.title.get(language),
                str(len(rule.versions)),
                rule.versions[-1].key,
                rule.versions[-1].confidence,
            )
            for rule in library.rules.values()
        ]
        self.stdout.write(table(("rule", "title", "versions", "newest from", "confidence"), rows))

    def _show(self, library: Library, options: dict[str, Any]) -> None:
        key = options["rule"]
        if key not in library.rules:
            raise LawError("law show", str(key), f"expected one of {', '.join(library.rules)}")
        rule, language = library.rules[key], options["lang"]
        if options["format"] == "json":
            self.stdout.write(json.dumps(_full(rule), ensure_ascii=False, indent=2))
            return
        self.stdout.write(
            f"{rule.key}: {rule.title.get(language)}\n{rule.instrument.get(language)}\n{rule.who_text.get(language)}"
        )
        for version in rule.versions:
            self.stdout.write("\n".join(_described(version, language)))

    def _check(self, library: Library, options: dict[str, Any]) -> None:
        results = list(run_cases(library))
        wrong = [f"{item.rule}: {item.name}: {'; '.join(item.wrong)}" for item in results if item.wrong]
        wrong += [*too_few(library, results), *released_changes(library)]
        for line in wrong:
            self.stdout.write(line)
        versions = [version for rule in library.rules.values() for version in rule.versions]
        share = Counter(version.confidence for version in versions)
        confidence = ", ".join(f"{name} {share[name]}" for name in ("high", "medium", "low"))
        instruments = len({rule.instrument.en for rule in library.rules.values()})
        self.stdout.write(
            f"{instruments} instruments, {len(library.rules)} rules, {len(versions)} versions, {len(results)} cases "
            f"({len(results) - sum(bool(item.wrong) for item in results)} pass); confidence: {confidence}; "
            f"digest {library.digest[:16]}"
        )
        if wrong:
            raise SystemExit(1)

    def _coverage(self, library: Library, options: dict[str, Any]) -> None:
        for day, duties in coverage(library, first=FIRST, last=LAST):
            self.stdout.write(f"{day}  {duties} duties")

    def _digests(self, library: Library, options: dict[str, Any]) -> None:
        """The content of released.yaml for the library as it stands."""
        for rule in library.rules.values():
            for version in rule.versions:
                self.stdout.write(f"{rule.key}@{version.key}r{version.revision}: {version.digest}")


def _summary(rule: Rule) -> dict[str, Any]:
    return {
        "rule": rule.key,
        "jurisdiction": rule.jurisdiction,
        "instrument": rule.instrument.to_json(),
        "title": rule.title.to_json(),
        "versions": [
            {"from": item.key, "confidence": item.confidence, "digest": item.digest} for item in rule.versions
        ],
    }


def _full(rule: Rule) -> dict[str, Any]:
    return {**_summary(rule), "sources": list(rule.sources), "texts": [version.to_json() for version in rule.versions]}


def _described(version: Version, language: str) -> list[str]:
    until = f" until {version.until}" if version.until else ""
    lines = [f"\nfrom {version.key}{until} (revision {version.revision}, confidence {version.confidence})"]
    lines += [
        f"  {citation.provision.get(language)}  {citation.url}  {citation.checked_on}" for citation in version.citations
    ]
    lines += [
        f"  {stage.key}: {stage.title.get(language)}, {stage.clock.limit.get(language)}" for stage in version.stages
    ]
    lines.append(f"  {version.carries_out.get(language)}")
    if version.doubts:
        lines.append(f"  ? {version.doubts.get(language)}")
    lines += [f"  ! {item.text.get(language)} ({item.provision})" for item in version.exemptions]
    lines.append(f"  {version.penalties.get(language)}")
    return lines
