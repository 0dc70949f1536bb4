"""The law library: list it, show a rule, run its cases, walk it through time, compare two releases."""

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from compliance.cli import bad_input_exits, expected_rule, table
from compliance.coverage_page import coverage_page
from compliance.engine import LawError, Library, Rule, Standing, Version, load_library
from compliance.engine.cases import coverage, released_changes, run_cases, too_few
from compliance.engine.changes import LawChange, law_changes
from compliance.library import get_library

FIRST, LAST = date(2023, 1, 1), date(2028, 12, 31)
ACTIONS = ("list", "show", "facts", "check", "coverage", "diff", "page", "digests")


class Command(BaseCommand):
    """``law list | show RULE | facts | check | coverage | diff OLD NEW | page``."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=ACTIONS)
        parser.add_argument(
            "named", nargs="*", help="RULE for show; OLD and NEW folders for diff; AREA for list and check"
        )
        parser.add_argument("--format", choices=("json", "table"), default="table")
        parser.add_argument("--lang", choices=("ko", "en"), default="en")

    def handle(self, *args: Any, **options: Any) -> None:
        library = get_library()
        with bad_input_exits():
            getattr(self, f"_{options['what']}")(library, options)

    def _list(self, library: Library, options: dict[str, Any]) -> None:
        rules = _chosen(library, options["named"])
        if options["format"] == "json":
            self.stdout.write(json.dumps([_summary(rule) for rule in rules], ensure_ascii=False, indent=2))
            return
        language = options["lang"]
        rows = [
            (
                rule.key,
                rule.title.get(language),
                str(len(rule.versions)),
                rule.versions[-1].key,
                rule.versions[-1].standing.value,
                rule.versions[-1].confidence,
            )
            for rule in rules
        ]
        self.stdout.write(table(("rule", "title", "versions", "newest from", "standing", "confidence"), rows))

    def _show(self, library: Library, options: dict[str, Any]) -> None:
        key = options["named"][0] if options["named"] else "RULE"
        if key not in library.rules:
            raise LawError("law show", key, expected_rule(key, library))
        rule, language = library.rules[key], options["lang"]
        if options["format"] == "json":
            self.stdout.write(json.dumps(_full(rule), ensure_ascii=False, indent=2))
            return
        self.stdout.write(
            f"{rule.key}: {rule.title.get(language)}\n{rule.instrument.get(language)}\n{rule.who_text.get(language)}"
        )
        for version in rule.versions:
            self.stdout.write("\n".join(_described(version, language)))

    def _facts(self, library: Library, options: dict[str, Any]) -> None:
        """The vocabulary: what may be known, in which form, who may say it, and how many rules rest on it."""
        language = options["lang"]
        if options["format"] == "json":
            rows = {
                name: {
                    "type": item.type,
                    "label": item.label.to_json(),
                    "question": item.question.to_json(),
                    "unit": item.unit,
                    "choices": {key: text.to_json() for key, text in item.choices.items()},
                    "who": list(item.who),
                    "rules": list(library.used_by[name]),
                }
                for name, item in library.facts.items()
            }
            self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2))
            return
        lines = [
            (name, item.type, ", ".join(item.who) or "-", str(len(library.used_by[name])), item.question.get(language))
            for name, item in library.facts.items()
        ]
        self.stdout.write(table(("fact", "type", "who", "rules", "question"), lines))

    def _check(self, library: Library, options: dict[str, Any]) -> None:
        wanted = {rule.key for rule in _chosen(library, options["named"])}
        results = list(run_cases(library))
        wrong = [f"{item.rule}: {item.name}: {'; '.join(item.wrong)}" for item in results if item.wrong]
        wrong += [*too_few(library, results), *released_changes(library)]
        wrong = [line for line in wrong if line.split(":")[0].split("@")[0] in wanted]
        for line in wrong:
            self.stdout.write(line)
        self.stdout.write(_counted(library, [item for item in results if item.rule in wanted], wanted))
        if wrong:
            raise SystemExit(1)

    def _coverage(self, library: Library, options: dict[str, Any]) -> None:
        for day, duties in coverage(library, first=FIRST, last=LAST):
            self.stdout.write(f"{day}  {duties} duties")

    def _diff(self, library: Library, options: dict[str, Any]) -> None:
        if len(options["named"]) != 2:
            raise LawError("law diff", "OLD NEW", "expected two folders of law, or current for the one in use")
        old, new = (library if name == "current" else _folder(name) for name in options["named"])
        changes = law_changes(old, new)
        if options["format"] == "json":
            self.stdout.write(json.dumps([_change(item) for item in changes], ensure_ascii=False, indent=2))
            return
        for item in changes:
            self.stdout.write(_told(item))
        self.stdout.write(f"{len(changes)} changes; digest {old.digest[:16]} -> {new.digest[:16]}")

    def _page(self, library: Library, options: dict[str, Any]) -> None:
        """The content of docs/law-coverage.md for the library as it stands."""
        self.stdout.write(coverage_page(library), ending="")

    def _digests(self, library: Library, options: dict[str, Any]) -> None:
        """The content of released.yaml for the library as it stands."""
        for rule in library.rules.values():
            for version in rule.versions:
                self.stdout.write(f"{rule.key}@{version.key}r{version.revision}: {version.digest}")


def _chosen(library: Library, named: list[str]) -> list[Rule]:
    """The rules of an area or instrument (us, us.sec), or all of them."""
    if not named:
        return list(library.rules.values())
    chosen = [rule for rule in library.rules.values() if f"{rule.key}.".startswith(f"{named[0]}.")]
    if not chosen:
        raise LawError("law", named[0], expected_rule(named[0], library))
    return chosen


def _folder(name: str) -> Library:
    path = Path(name)
    if not (path / "facts.yaml").exists():
        raise LawError("law diff", name, "expected a folder of law (with facts.yaml in it), or current")
    return load_library(path)


def _counted(library: Library, results: list[Any], wanted: set[str]) -> str:
    rules = [rule for rule in library.rules.values() if rule.key in wanted]
    versions = [version for rule in rules for version in rule.versions]
    stages = sum(len(version.stages) for version in versions)
    confidence = Counter(version.confidence for version in versions)
    standing = Counter(version.standing for version in versions)
    passed = len(results) - sum(bool(item.wrong) for item in results)
    share = ", ".join(f"{name} {confidence[name]}" for name in ("high", "medium", "low"))
    not_law = ", ".join(f"{name} {standing[name]}" for name in Standing if name is not Standing.IN_FORCE)
    return (
        f"{len({rule.instrument.en for rule in rules})} instruments, {len(rules)} rules, {len(versions)} versions, "
        f"{stages} stages, {len(results)} cases ({passed} pass); confidence: {share}; not law: {not_law}; "
        f"digest {library.digest[:16]}"
    )


def _change(item: LawChange) -> dict[str, str]:
    return {"subject": item.subject, "kind": item.kind, "place": item.place, "old": item.old, "new": item.new}


def _told(item: LawChange) -> str:
    if not item.place:
        return f"{item.subject}: {item.kind}"
    return f"{item.subject}: {item.place}: {item.kind}: {item.old or '-'} -> {item.new or '-'}"


def _summary(rule: Rule) -> dict[str, Any]:
    return {
        "rule": rule.key,
        "jurisdiction": rule.jurisdiction,
        "instrument": rule.instrument.to_json(),
        "title": rule.title.to_json(),
        "versions": [
            {
                "from": item.key,
                "until": item.until.isoformat() if item.until else None,
                "standing": item.standing.value,
                "confidence": item.confidence,
                "digest": item.digest,
            }
            for item in rule.versions
        ],
    }


def _full(rule: Rule) -> dict[str, Any]:
    return {**_summary(rule), "sources": list(rule.sources), "texts": [version.to_json() for version in rule.versions]}


def _described(version: Version, language: str) -> list[str]:
    until = f" until {version.until}" if version.until else ""
    standing = "" if version.standing is Standing.IN_FORCE else f", {version.standing.value}"
    lines = [f"\nfrom {version.key}{until} (revision {version.revision}, confidence {version.confidence}{standing})"]
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
