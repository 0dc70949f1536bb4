"""Law that is wrong does not load: one bad file per kind of mistake, each with its exact message."""

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from compliance.engine import LawError, load_library, load_policies
from compliance.engine.cases import coverage, released_changes, run_cases, too_few
from compliance.engine.changes import law_changes, touched_rules
from compliance.engine.counting import COUNTING
from compliance.engine.library import library_of
from compliance.engine.reading import law_files, read_files
from compliance.library import LAW, POLICIES, get_library
from tests.compliance.minilaw import both, contents, library, rule, stage, version

REPORT = "kr/network-act/incident-report.yaml"
FILE = "xx/act/rule-0.yaml"


@pytest.fixture(scope="module")
def results() -> list[Any]:
    return list(run_cases(get_library()))


def test_every_worked_case_comes_out_as_a_lawyer_expects(results: list[Any]) -> None:
    assert [result for result in results if result.wrong] == []


def test_every_rule_stage_version_and_boundary_is_proved_by_cases(results: list[Any]) -> None:
    assert list(too_few(get_library(), results)) == []


def test_released_versions_never_change() -> None:
    assert list(released_changes(get_library())) == []


def test_the_law_has_an_answer_for_every_quarter() -> None:
    found = list(coverage(get_library(), first=date(2023, 1, 1), last=date(2028, 12, 31)))
    assert len(found) == 24
    assert all(count > 100 for _day, count in found)


# --- files on disk


@pytest.fixture
def law(tmp_path: Path) -> Path:
    """Korea's law alone, on disk."""
    folder = tmp_path / "law"
    folder.mkdir()
    for name in ("facts.yaml", "places.yaml", "released.yaml"):
        shutil.copy(LAW / name, folder / name)
    for name in ("calendars", "kr"):
        shutil.copytree(LAW / name, folder / name)
    return folder


def replaced(file: str, old: str, new: str) -> Callable[[Path], None]:
    def change(law: Path) -> None:
        path = law / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


MISTAKES = [
    (replaced(REPORT, "confidence: high", "confidnce: high"), f"{REPORT}: versions[0].confidnce: unknown key; did you mean confidence?"),
    (replaced(REPORT, "confidence: high", "confidence: sure"), f"{REPORT}: versions[0].confidence: 'sure': expected one of high, low, medium"),
    (replaced(REPORT, "revision: 1", "revision: 1\n    revision: 2"), f"{REPORT}: revision: line 23: given twice; expected once"),
    (replaced(REPORT, "until: 2024-08-14", "until: soon"), f"{REPORT}: versions[0].until: 'soon': expected a date such as 2024-08-14"),
    (replaced(REPORT, "{fact: incident.is_cyber, is: true}", "{fact: incident.is_cyber, is: maybe}"), f"{REPORT}: versions[0].applies_when.is: 'maybe': expected true or false"),
    (replaced(REPORT, "en: Initial incident report}", "en: ''}"), f"{REPORT}: versions[0].stages[0].title.en: expected a text, found ''"),
    (replaced(REPORT, "rule: kr.network-act.incident-report", "rule: [kr"), f"{REPORT}: ?: line 2: expected YAML (did not find expected ',' or ']')"),
    (replaced(REPORT, "rule: kr.network-act.incident-report", "rule: kr.pipa.subject-notice"), "kr/pipa/subject-notice.yaml: rule: kr.pipa.subject-notice: given already in kr/network-act/incident-report.yaml"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), MISTAKES, ids=[message[:70] for _change, message in MISTAKES])
def test_a_mistake_on_disk_stops_the_start_and_says_where(
    law: Path, change: Callable[[Path], None], message: str
) -> None:
    change(law)
    with pytest.raises(LawError) as refused:
        load_library(law)
    assert str(refused.value) == message


def test_a_file_that_is_not_utf_8_is_refused(law: Path) -> None:
    (law / REPORT).write_bytes(b"rule: \xff")
    with pytest.raises(LawError, match=r"^kr/network-act/incident-report.yaml: \?: expected UTF-8"):
        load_library(law)


def test_a_rule_without_cases_is_refused(law: Path) -> None:
    (law / "kr/network-act/cases/user-notice.yaml").unlink()
    with pytest.raises(LawError, match=r"cases: expected worked cases in kr/network-act/cases/user-notice\.yaml"):
        load_library(law)


def test_a_single_case_proves_too_little(law: Path) -> None:
    (law / "kr/network-act/cases/user-notice.yaml").write_text("- {name: x}\n", encoding="utf-8")
    with pytest.raises(LawError, match=r"cases/user-notice.yaml: \(top\): expected a list of at least 2"):
        _ = load_library(law).cases


def test_a_changed_text_of_a_released_version_is_found(law: Path) -> None:
    replaced(REPORT, "1천만원 이하", "2천만원 이하")(law)
    changed = [line for line in released_changes(load_library(law)) if "differs from the released text" in line]
    assert [line.split(":")[0] for line in changed] == ["kr.network-act.incident-report@2022-12-11r1"]


def test_a_version_that_was_never_released_is_named(law: Path) -> None:
    (law / "released.yaml").unlink()
    lines = list(released_changes(load_library(law)))
    assert lines[0].startswith("kr.")
    assert "not in released.yaml; add its digest" in lines[0]


# --- the parsed copy


def test_the_parsed_copy_answers_while_the_files_are_the_same_and_changed_files_win(law: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "law.json"
    first = load_library(law, cache=cache)
    kept = cache.read_bytes()
    again = load_library(law, cache=cache)
    assert (again.digest, cache.read_bytes()) == (first.digest, kept)
    replaced(REPORT, "1천만원 이하", "3천만원 이하")(law)
    changed = load_library(law, cache=cache)
    assert changed.digest != first.digest
    assert "3천만원" in changed.rules["kr.network-act.incident-report"].versions[0].penalties.ko


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"fingerprint": 1}', b"\xff"])
def test_a_spoilt_copy_is_no_error(law: Path, tmp_path: Path, content: bytes) -> None:
    cache = tmp_path / "law.json"
    cache.write_bytes(content)
    assert load_library(law, cache=cache).digest == load_library(law).digest
    assert json.loads(cache.read_bytes())["files"]["facts.yaml"]


def test_a_copy_that_cannot_be_written_is_no_error(law: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert load_library(law, cache=tmp_path / "file" / "law.json").rules


def test_a_kept_release_answers_like_the_files(law: Path) -> None:
    files = read_files(law)
    kept = library_of(law_files(json.loads(json.dumps(files.contents)), root=law), proved=False)
    assert kept.digest == load_library(law).digest


def test_the_digest_is_of_everything_that_decides(law: Path) -> None:
    before = load_library(law).digest
    (law / "released.yaml").write_text("x: y\n", encoding="utf-8")
    assert load_library(law).digest == before
    replaced("calendars/kr.yaml", "2026-06-03", "2026-06-04")(law)
    assert load_library(law).digest != before


# --- one mistake each, in memory


def law_with(*stages: dict[str, Any], top: dict[str, Any] | None = None, **more: Any) -> Callable[[], Any]:
    return lambda: library(rule(version(*stages, **more), **(top or {})))


def clock(**keys: Any) -> dict[str, Any]:
    return stage(clock={"from": "known", **keys})


HOURS = {"within": 1, "counting": "strict.hours"}
NAMES = ", ".join(sorted(COUNTING))
WRONG = [
    (law_with(top={"calendar": "XX"}), "calendar: 'XX': expected one of DE, KR, US-FED"),
    (law_with(top={"zone": "Asia/Soul"}), "zone: Asia/Soul: expected a time zone such as Asia/Seoul"),
    (law_with(top={"kind": "notise"}), "kind: 'notise': expected one of notice, report"),
    (law_with(top={"who": "nobody"}), "who: expected a condition: always, or one of all, any, established_in, fact, known, main_establishment_in, market, may_reach, not, people, role, sector, submitted"),
    (law_with(top={"offices": "none"}), "offices: 'none': expected one of "),
    (law_with(top={"sources": []}), "sources: expected a list of at least 1"),
    (law_with(top={"sources": [{"url": "u", "says": "s", "checked": "yes"}]}), "sources[0].checked: 'yes': expected true or false"),
    (law_with(top={"addressees": []}), "addressees: expected a list of at least 1"),
    (law_with(top={"title": {"en": "x"}}), "title.ko: missing"),
    (law_with(**{"from": None}), "versions[0].from: missing; a text in force has a first day"),
    (law_with(standing="law"), "versions[0].standing: 'law': expected one of in_force, not_confirmed, not_in_force, proposed"),
    (law_with(confidence="low"), "versions[0].doubts: missing; low confidence has a reason"),
    (law_with(until="2019-01-01"), "versions[0].until: 2019-01-01: expected a date after 2020-01-01"),
    (law_with(revision=0), "versions[0].revision: 0: expected a whole number of at least 1"),
    (law_with(citations=[]), "versions[0].citations: expected a list of at least 1"),
    (law_with(connects_by="words"), "versions[0].connects_by: words: expected a fact of facts.yaml that is an instant or event"),
    (law_with(connects_by={"sometime": "x"}), "versions[0].connects_by.sometime: unknown key; expected one of due, earliest, latest, rule, submitted, which"),
    (law_with(connects_by={"rule": "x"}), "versions[0].connects_by: expected a fact, or one of due, earliest, latest, submitted"),
    (law_with(connects_by={"earliest": ["known"]}), "versions[0].connects_by.earliest: expected a list of at least 2"),
    (law_with(connects_by={"submitted": "first", "which": "last"}), "versions[0].connects_by.which: 'last': expected one of first, latest"),
    (law_with(later_starts=[{"who": "always", "from": "2026-06-01"}]), "versions[0].later_starts[0].text: missing"),
    (law_with(exemptions=[{"text": both("x")}]), "versions[0].exemptions[0].provision: missing"),
    (law_with(exemptions=[{"text": both("x"), "provision": "p", "stages": ["b"]}]), "versions[0].exemptions[0].stages[0]: 'b': expected one of first"),
    (law_with(stages=[]), "versions[0].stages: expected a list of at least 1"),
    (law_with(stage(), stage()), "versions[0].stages: [0]: first is given twice"),
    (law_with(stage(audience="king")), "versions[0].stages[0].audience: 'king': expected one of csirt, customers, data_subjects, media, other, public, regulator"),
    (law_with(stage(applies_when="always", also_when="always")), "versions[0].stages[0].also_when: expected either applies_when (in place of the version's) or also_when (beside it)"),
    (law_with(stage(after="first")), "versions[0].stages[0].after: expected per_event beside after"),
    (law_with(stage(per_event="change", after="none")), "versions[0].stages: [0]: after: none: expected one of first"),
    (law_with(stage(recurs_until="none")), "versions[0].stages: [0]: recurs_until: none: expected one of first"),
    (law_with(stage(order=[{"text": both("x")}])), "versions[0].stages[0].order[0]: expected one of after, with, before"),
    (law_with(stage(order=[{"text": both("x"), "with": "a", "after": "b"}])), "versions[0].stages[0].order[0]: expected one of after, with, before"),
    (law_with(stage(order=[{"text": both("x"), "with": "none"}])), "versions[0].stages.first: xx.act.report/none: expected a stage of the library"),
    (law_with(stage(clock={"from": {"submitted": "none"}, **HOURS})), "versions[0].stages.first: xx.act.report/none: expected a stage of the library"),
    (law_with(stage(clock={"from": {"due": "first", "rule": "yy"}, **HOURS})), "versions[0].stages.first: yy/first: expected a stage of the library"),
    (law_with(clock()), "versions[0].stages[0].clock: expected standard, or within and counting"),
    (law_with(clock(within=3)), "versions[0].stages[0].clock: expected within and counting together"),
    (law_with(clock(within=0, counting="strict.hours")), "versions[0].stages[0].clock.within: 0: expected a whole number of at least 1"),
    (law_with(clock(within=1, counting="moon.hours")), f"versions[0].stages[0].clock.counting: 'moon.hours': expected one of {NAMES}"),
    (law_with(clock(standard="soon")), "versions[0].stages[0].clock.standard: 'soon': expected one of as_set, immediately, without_undue_delay"),
    (law_with(clock(**HOURS, second={"from": "told", **HOURS})), "versions[0].stages[0].clock: expected second and binding together"),
    (law_with(clock(**HOURS, second={"from": "told", **HOURS}, binding="both")), "versions[0].stages[0].clock.binding: 'both': expected one of earliest, earliest_unless_begun_after, latest, shown"),
    (law_with(clock(**HOURS, opens={"from": "told"})), "versions[0].stages[0].clock.opens.counting: missing"),
    (law_with(clock(**HOURS, set_by="set_for")), "versions[0].stages[0].clock.set_by: expected standard: as_set beside it"),
    (law_with(clock(standard="immediately", guidance={"from": "told"})), "versions[0].stages[0].clock.guidance.text: missing"),
    (law_with(clock(standard="immediately", guidance={"text": both("x"), "from": "told"})), "versions[0].stages[0].clock.guidance.counting: missing"),
]  # fmt: skip


@pytest.mark.parametrize(("load", "message"), WRONG, ids=[message[:80] for _load, message in WRONG])
def test_a_mistake_is_named_with_its_place(load: Callable[[], Any], message: str) -> None:
    with pytest.raises(LawError) as refused:
        load()
    assert str(refused.value) == f"{FILE}: {message}"


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("2024-08-14", "2024-08-10", "versions[1].from: 2024-08-10: overlaps the version from 2020-01-01"),
        ("2024-08-14", "2024-08-20", "versions[1].from: 2024-08-20: leaves a gap after 2024-08-14"),
        (None, "2024-08-20", "versions[1].from: 2024-08-20: overlaps the version from 2020-01-01"),
    ],
)
def test_versions_follow_one_another(first: str | None, second: str, message: str) -> None:
    with pytest.raises(LawError) as refused:
        library(rule(version(until=first), version(**{"from": second})))
    assert str(refused.value) == f"{FILE}: {message}"


def test_a_proposed_text_may_lie_over_the_one_in_force() -> None:
    law = library(rule(version(), version(**{"from": "2027-01-01"}, standing="proposed")))
    assert [item.standing.value for item in law.rules["xx.act.report"].versions] == ["in_force", "proposed"]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("facts.yaml", {"a": {"type": "boolean", "label": both("l"), "question": both("q"), "group": "g"}}, "a.type: 'boolean': expected one of bool, choice, choices, contested_instant, event, instant, integer, people, profile, text"),
        ("facts.yaml", {"a": {"type": "choice", "label": both("l"), "question": both("q"), "group": "g"}}, "a.choices: expected choices with the types choice and choices, and with no other"),
        ("facts.yaml", {"a": {"type": "bool", "label": both("l"), "question": both("q"), "group": "g", "choices": {"x": both("x")}}}, "a.choices: expected choices with the types choice and choices, and with no other"),
        ("facts.yaml", {"a": {"type": "instant", "label": both("l"), "question": both("q"), "group": "g", "until_known": ["b"]}}, "a.until_known[0]: b: expected an instant or event of facts.yaml"),
        ("places.yaml", {"EU": ["Germany"]}, "EU[0]: Germany: expected a place such as KR or US-CA"),
        ("tables/x.yaml", [{"place": "DE", "name": both("n"), "zone": "Europe/Berlin", "calendar": "MARS"}], "[0].calendar: 'MARS': expected one of DE, KR, US-FED"),
        ("tables/x.yaml", [{"place": "Berlin", "name": both("n"), "zone": "Europe/Berlin", "calendar": "DE"}], "[0].place: Berlin: expected a place such as KR or US-CA"),
    ],
)  # fmt: skip
def test_a_mistake_beside_the_rules_is_named(file: str, content: Any, message: str) -> None:
    with pytest.raises(LawError) as refused:
        library_of(law_files({**contents(), file: content}, root=LAW), proved=False)
    assert str(refused.value) == f"{file}: {message}"


# --- models

MODEL = {
    "calendar": "KR",
    "who": "always",
    "version": {key: value for key, value in version(stage(), stage("final")).items() if key != "from"},
}
OWN = {key: value for key, value in rule().items() if key not in ("calendar", "who", "versions")}


def modelled(own: dict[str, Any]) -> Any:
    written = {**OWN, "model": "_model.yaml", "versions": [{"from": "2025-01-01", **own}]}
    return library(**{"xx/act/own.yaml": written, "xx/act/_model.yaml": MODEL}).rules["xx.act.report"]


def test_a_rule_takes_over_from_its_model_and_its_own_words_win() -> None:
    held = modelled({"penalties": both("more")})
    assert (held.calendar, held.versions[0].key, held.versions[0].penalties.en) == ("KR", "2025-01-01", "more")
    assert [item.key for item in held.versions[0].stages] == ["first", "final"]


def test_a_rule_changes_drops_and_adds_stages_of_its_model() -> None:
    day = {"from": "known", "within": 24, "counting": "strict.hours"}
    held = modelled(
        {"change_stages": {"first": {"clock": day}}, "drop_stages": ["final"], "add_stages": [stage("end")]}
    )
    assert [(item.key, item.clock.n) for item in held.versions[0].stages] == [("first", 24), ("end", 72)]
    whole = modelled({"stages": [stage("only")]})
    assert [item.key for item in whole.versions[0].stages] == ["only"]


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"change_stages": {"none": {}}}, "versions[0].change_stages.none: none: expected one of first, final"),
        ({"drop_stages": ["none"]}, "versions[0].drop_stages[0]: 'none': expected one of final, first"),
    ],
)
def test_a_stage_the_model_does_not_have_is_named(own: dict[str, Any], message: str) -> None:
    with pytest.raises(LawError) as refused:
        modelled(own)
    assert str(refused.value) == f"xx/act/own.yaml: {message}"


def test_a_model_may_hold_one_stage_only() -> None:
    single = {**MODEL, "version": {**MODEL["version"], "stages": [stage("only")]}}
    written = {**OWN, "model": "_model.yaml", "versions": [{"from": "2025-01-01", "add_stages": [stage("end")]}]}
    law = library(**{"xx/act/own.yaml": written, "xx/act/_model.yaml": single})
    assert [item.key for item in law.rules["xx.act.report"].versions[0].stages] == ["only", "end"]


def test_a_change_of_the_model_is_told_of_the_rule_that_follows_it() -> None:
    changed = {**MODEL, "version": {**MODEL["version"], "penalties": both("more")}}
    own = {**OWN, "model": "_model.yaml", "versions": [{"from": "2025-01-01"}]}
    old, new = (library(**{"xx/act/own.yaml": own, "xx/act/_model.yaml": model}) for model in (MODEL, changed))
    assert [(item.subject, item.place, item.new) for item in law_changes(old, new)] == [
        ("xx.act.report@2025-01-01", "penalties.en", "more"),
        ("xx.act.report@2025-01-01", "penalties.ko", "more (ko)"),
    ]


def test_a_model_that_is_not_there_is_named() -> None:
    with pytest.raises(LawError) as refused:
        library(**{"xx/act/own.yaml": {**OWN, "model": "_none.yaml", "versions": [{}]}})
    assert str(refused.value) == "xx/act/own.yaml: model: xx/act/_none.yaml: expected a file beside this one"


# --- what a release changes


def told(old: Any, new: Any) -> list[tuple[str, str, str, str, str]]:
    return [(item.subject, item.kind, item.place, item.old, item.new) for item in law_changes(old, new)]


def test_equal_libraries_differ_in_nothing() -> None:
    assert told(library(rule()), library(rule())) == []


def test_a_release_says_what_it_changes_to_the_word() -> None:
    old = library(rule(version(), key="xx.a.b"), rule(key="xx.gone.now"))
    later = {"from": "known", "within": 48, "counting": "strict.hours"}
    new = library(
        rule(
            version(stage(clock=later)),
            version(**{"from": "2030-01-01"}, standing="proposed"),
            key="xx.a.b",
            zone="Asia/Tokyo",
        ),
        rule(key="xx.new.now"),
    )
    assert told(old, new) == [
        ("xx.a.b@2020-01-01", "changed", "stages[0].clock.within", "72", "48"),
        ("xx.a.b@2030-01-01", "added", "", "", ""),
        ("xx.a.b", "changed", "zone", "Asia/Seoul", "Asia/Tokyo"),
        ("xx.gone.now", "removed", "", "", ""),
        ("xx.new.now", "added", "", "", ""),
    ]  # fmt: skip


def test_a_change_of_the_days_off_or_the_vocabulary_is_told() -> None:
    calendar = {**contents()["calendars/kr.yaml"], "zone": "Asia/Tokyo"}
    assert told(library(), library(**{"calendars/kr.yaml": calendar})) == [
        ("calendars/kr.yaml", "changed", "zone", "Asia/Seoul", "Asia/Tokyo")
    ]
    assert told(library(), library(**{"tables/x.yaml": [{"place": "DE", "name": both("n"), "zone": "UTC", "calendar": "DE"}]})) == [
        ("tables/x.yaml", "added", "", "", "")
    ]  # fmt: skip


def test_a_version_or_file_that_is_gone_is_told() -> None:
    proposed = version(**{"from": "2030-01-01"}, standing="proposed")
    assert told(library(rule(version(), proposed)), library(rule())) == [
        ("xx.act.report@2030-01-01", "removed", "", "", "")
    ]
    table = {"tables/x.yaml": [{"place": "DE", "name": both("n"), "zone": "UTC", "calendar": "DE"}]}
    assert told(library(**table), library()) == [("tables/x.yaml", "removed", "", "", "")]


def test_what_was_released_is_no_part_of_the_law() -> None:
    assert told(library(rule()), library(rule(), **{"released.yaml": {"a": "b"}})) == []


def test_a_word_that_is_new_or_gone_is_told_at_its_place() -> None:
    plain, doubted = library(rule()), library(rule(version(doubts=both("d"))))
    assert told(plain, doubted) == [("xx.act.report@2020-01-01", "added", "doubts", "", "{'ko': 'd (ko)', 'en': 'd'}")]
    assert told(doubted, plain) == [
        ("xx.act.report@2020-01-01", "removed", "doubts", "{'ko': 'd (ko)', 'en': 'd'}", "")
    ]


def test_a_list_is_compared_item_by_item_or_told_whole_if_its_length_changes() -> None:
    one, other = (
        library(rule(version(contents=[both("a"), both("b")]))),
        library(rule(version(contents=[both("a"), both("c")]))),
    )
    assert [(item[2], item[3], item[4]) for item in told(one, other)] == [
        ("contents[1].en", "b", "c"),
        ("contents[1].ko", "b (ko)", "c (ko)"),
    ]
    shorter = library(rule(version(contents=[both("a")])))
    assert [(item[1], item[2]) for item in told(one, shorter)] == [("changed", "contents")]


def test_a_condition_that_takes_another_form_is_told_whole() -> None:
    always, bad = library(rule()), library(rule(version(applies_when={"fact": "bad", "is": True})))
    assert [(item[1], item[2], item[3]) for item in told(always, bad)] == [("changed", "applies_when", "always")]
    assert [(item[1], item[2], item[4]) for item in told(bad, always)] == [("changed", "applies_when", "always")]


def test_what_stands_beside_the_versions_is_compared_too() -> None:
    new = library(rule(calendar="DE", title=both("New"), who_text=both("some"), addressees=[both("Other")]))
    assert [(item[0], item[2]) for item in told(library(rule()), new)] == [
        ("xx.act.report", "calendar"),
        ("xx.act.report", "who_text"),
        ("xx.act.report", "addressees"),
        ("xx.act.report", "title"),
    ]


def test_a_long_change_is_told_in_short() -> None:
    old, new = library(rule(version(penalties=both("x" * 500)))), library(rule())
    found = told(old, new)
    assert [len(item[3]) for item in found] == [120, 120]


@pytest.mark.parametrize(("length", "shown"), [(120, 120), (121, 120)])
def test_a_change_of_just_the_width_is_told_whole(length: int, shown: int) -> None:
    found = told(library(rule(version(penalties=both("x" * length)))), library(rule()))
    english = next(item[3] for item in found if item[2] == "penalties.en")
    assert (len(english), english.endswith("…")) == (shown, length > shown)


def test_an_office_is_read_with_how_it_is_reached() -> None:
    row = {"place": "DE", "name": both("BfDI"), "zone": "Europe/Berlin", "calendar": "DE"}
    more = {"portal": "bfdi.example", "checked": True, "note": "by form"}
    law = library(rule(offices="x"), **{"tables/x.yaml": [{**row, **more}, {**row, "place": "KR"}]})
    full, bare = law.rules["xx.act.report"].offices.values()
    assert (full.place, full.zone, full.calendar, full.note) == ("DE", "Europe/Berlin", "DE", "by form")
    assert (full.addressee.name.en, full.addressee.portal, full.addressee.checked) == ("BfDI", "bfdi.example", True)
    assert (bare.place, bare.note, bare.addressee.portal, bare.addressee.checked) == ("KR", "", "", False)


def test_an_order_may_name_a_stage_of_another_rule() -> None:
    order = [{"after": "first", "rule": "xx.act.other", "text": both("o")}]
    law = library(rule(version(stage("own", order=order))), rule(key="xx.act.other"))
    (found,) = law.rules["xx.act.report"].versions[0].stages[0].orders
    assert (found.kind, found.stage, found.rule, found.text.en) == ("after", "first", "xx.act.other", "o")


def test_a_version_that_is_no_mapping_is_named() -> None:
    with pytest.raises(LawError) as refused:
        library(**{"xx/act/own.yaml": {**OWN, "model": "_model.yaml", "versions": ["x"]}, "xx/act/_model.yaml": MODEL})
    assert str(refused.value) == "xx/act/own.yaml: versions[0]: expected a mapping"


def test_days_off_may_be_added_to_a_calendar() -> None:
    law = library(rule())
    added = law.with_days_off({"KR": {date(2026, 3, 3): "임시"}, "XX": {date(2026, 3, 3): "?"}})
    assert added.calendars["KR"].holiday(date(2026, 3, 3)) == "임시"
    assert law.calendars["KR"].holiday(date(2026, 3, 3)) is None
    assert added.calendars.keys() == law.calendars.keys()


def test_the_vocabulary_knows_which_rules_rest_on_a_fact() -> None:
    law = library(rule(version(applies_when={"fact": "bad", "is": True})), rule(key="xx.b"))
    assert law.used_by["bad"] == ("xx.act.report",)
    assert law.used_by["known"] == ("xx.act.report", "xx.b")
    assert law.used_by["size"] == ()


def test_a_policy_without_a_due_rung_is_refused(tmp_path: Path) -> None:
    shutil.copytree(POLICIES, tmp_path / "policies")
    path = tmp_path / "policies" / "escalation.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("kind: due, to", "kind: opened, to"), encoding="utf-8")
    with pytest.raises(LawError, match=r"escalation.yaml: ladders.evidence.rungs: expected one rung of kind opened"):
        load_policies(tmp_path / "policies")


def test_a_release_touches_the_rules_it_changes_and_those_that_lean_on_them() -> None:
    late = {"from": {"submitted": "first", "rule": "xx.a"}, "within": 1, "counting": "strict.hours"}
    rest = (rule(version(stage(clock=late)), key="xx.b"), rule(key="xx.c"))
    old, same = (library(rule(key="xx.a"), *rest) for _ in range(2))
    assert touched_rules(old, same) == frozenset()
    assert touched_rules(old, library(rule(version(penalties=both("more")), key="xx.a"), *rest)) == {"xx.a", "xx.b"}
    assert touched_rules(old, library(rule(key="xx.a"), *rest, rule(key="xx.d"))) == {"xx.d"}


def test_a_release_that_changes_words_or_days_off_touches_everything() -> None:
    old = library(rule())
    assert touched_rules(old, library(rule(), **{"places.yaml": {"EU": ["DE"]}})) is None
    assert touched_rules(old, old.with_days_off({"KR": {date(2026, 3, 3): "임시"}})) is None
