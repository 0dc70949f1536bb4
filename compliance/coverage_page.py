"""docs/law-coverage.md: instrument by instrument, what is in, what is unsure and why, what is known to be missing."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from compliance.engine import Library, Rule, Standing, Version

_HEAD = """# What the law library covers

Made by `manage.py law page`; a test compares it with the library. It is no substitute for a lawyer's check: it says what we read, how sure
we are of our reading, and what we know to be open. *low* never gives a deadline, only a task for a lawyer; a text that is not in force
never gives a duty.
"""


def coverage_page(library: Library) -> str:
    """The page as Markdown, by jurisdiction."""
    rules = sorted(library.rules.values(), key=lambda rule: (rule.jurisdiction, rule.instrument.en, rule.key))
    return "\n".join([_HEAD, *_totals(rules), *_tables(rules), *_unsure(rules), *_open(rules), ""])


def _totals(rules: list[Rule]) -> Iterator[str]:
    versions = [version for rule in rules for version in rule.versions]
    stages = sum(len(version.stages) for version in versions)
    confidence = Counter(version.confidence for version in versions)
    share = ", ".join(f"{name} {confidence[name]}" for name in ("high", "medium", "low"))
    not_law = sum(version.standing is not Standing.IN_FORCE for version in versions)
    yield (
        f"{len({rule.instrument.en for rule in rules})} instruments, {len(rules)} rules, {len(versions)} versions, {stages} stages. "
        f"Confidence: {share}. {not_law} versions are not in force or not confirmed to be.\n"
    )


def _tables(rules: list[Rule]) -> Iterator[str]:
    for jurisdiction, held in groupby(rules, key=lambda rule: rule.jurisdiction):
        yield f"## {jurisdiction}\n"
        yield "| instrument | rule | versions (from) | stages | confidence | standing |"
        yield "| --- | --- | --- | --- | --- | --- |"
        for rule in held:
            yield f"| {_cell(rule.instrument.en)} | `{rule.key}` | {_starts(rule)} | {_stages(rule)} | {_sure(rule)} | {_standing(rule)} |"
        yield ""


def _starts(rule: Rule) -> str:
    return ", ".join(version.key for version in rule.versions)


def _stages(rule: Rule) -> str:
    return ", ".join(dict.fromkeys(stage.key for version in rule.versions for stage in version.stages))


def _sure(rule: Rule) -> str:
    return ", ".join(dict.fromkeys(version.confidence for version in rule.versions))


def _standing(rule: Rule) -> str:
    return ", ".join(dict.fromkeys(version.standing.value.replace("_", " ") for version in rule.versions))


def _unsure(rules: list[Rule]) -> Iterator[str]:
    yield "## Low confidence, and why\n"
    for rule, version in _versions(rules):
        if version.confidence == "low" and version.doubts:
            yield f"- `{rule.key}` from {version.key}: {_cell(version.doubts.en)}"
    yield ""


def _open(rules: list[Rule]) -> Iterator[str]:
    yield "## Known to be open or missing\n"
    for rule, version in _versions(rules):
        if version.confidence != "low" and version.doubts:
            yield f"- `{rule.key}` from {version.key}: {_cell(version.doubts.en)}"
    unchecked = sum(not source["checked"] for rule in rules for source in rule.sources)
    yield f"\n{unchecked} of {sum(len(rule.sources) for rule in rules)} sources were named but not read."


def _versions(rules: list[Rule]) -> Iterator[tuple[Rule, Version]]:
    return ((rule, version) for rule in rules for version in rule.versions)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
