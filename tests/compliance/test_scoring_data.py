"""Methods that are wrong do not load: one bad file per kind of mistake, each with its exact message."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from compliance.engine import LawError
from compliance.engine.scoring import load_methods
from compliance.library import LAW, get_library
from tests.compliance.scoring import METHODS

FACTS = get_library().facts
DORA, EDPB, ENISA, HIPAA = "scoring/dora.yaml", "scoring/edpb.yaml", "scoring/enisa.yaml", "scoring/hipaa.yaml"


@pytest.fixture
def law(tmp_path: Path) -> Path:
    shutil.copytree(LAW / "scoring", tmp_path / "scoring")
    return tmp_path


def replaced(file: str, old: str, new: str) -> Callable[[Path], None]:
    def change(law: Path) -> None:
        path = law / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


LAST = "when: always, source: art8_1b}\nother_readings"
MISTAKES = [
    (replaced(DORA, "confidence: high", "confidnce: high"), f"{DORA}: confidnce: unknown key; did you mean confidence?"),
    (replaced(DORA, "kind: tests", "kind: guess"), f"{DORA}: kind: 'guess': expected one of tests, weights"),
    (replaced(DORA, "kind: tests\n", ""), f"{DORA}: kind: missing"),
    (replaced(DORA, "version: 1\n", ""), f"{DORA}: version: missing"),
    (replaced(DORA, "version: 1", "version: 1.5"), f"{DORA}: version: 1.5: expected a whole number of at least 1"),
    (replaced(DORA, "version: 1", "version: 1\nversion: 2"), f"{DORA}: version: line 4: given twice; expected once"),
    (replaced(DORA, "method: dora", "method: hipaa"), f"{HIPAA}: method: hipaa: given already in {DORA}"),
    (replaced(DORA, "confidence: high", "confidence: sure"), f"{DORA}: confidence: 'sure': expected one of high, low, medium"),
    (replaced(DORA, "checked_on: 2026-11-22", "checked_on: lately"), f"{DORA}: sources.art1.checked_on: 'lately': expected a date such as 2024-08-14"),
    (replaced(DORA, ', en: "Not major"', ""), f"{DORA}: levels[0].text.en: missing"),
    # questions
    (replaced(DORA, "type: whole", "type: number"), f"{DORA}: questions[3].type: 'number': expected one of amount, bool, choice, minutes, whole"),
    (replaced(DORA, "key: supervised_service", "key: critical_function"), f"{DORA}: questions[1].key: critical_function: given twice; expected once"),
    (replaced(DORA, "within: clients_of_service", "within: clients"), f"{DORA}: questions[3].within: 'clients': expected one of clients_affected, clients_of_service, costs_eur, counterparts_affected, counterparts_of_service, downtime_minutes, duration_minutes, member_states, recurring_count, transaction_value_affected, transaction_value_daily_average, transactions_affected, transactions_daily_average"),
    (replaced(DORA, "    source: art6", "    source: art66"), f"{DORA}: questions[0].source: 'art66': expected one of art1, art6, art8_1a, art8_1b, art8_2, art9_1, art9_2, art9_3, art9_4, art9_5a, art9_5b, art9_6"),
    (replaced(HIPAA, "type: choice", "type: bool"), f"{HIPAA}: questions[5].choices: expected choices with the type choice, and with no other"),
    # conditions
    (replaced(DORA, "{answer: critical_function, is: true}", "{answer: critical, is: true}"), f"{DORA}: criteria[0].when.any[0].answer: 'critical': expected a question of this method"),
    (replaced(DORA, "{answer: critical_function, is: true}", "{reply: critical_function}"), f"{DORA}: criteria[0].when.any[0].reply: unknown condition; expected one of all, answer, any, count, met, not"),
    (replaced(DORA, "{answer: critical_function, is: true}", "sometimes"), f"{DORA}: criteria[0].when.any[0]: expected a condition: always, or one of all, answer, any, count, met, not"),
    (replaced(DORA, "{answer: critical_function, is: true}", "{answer: critical_function, is: maybe}"), f"{DORA}: criteria[0].when.any[0].is: 'maybe': expected true or false"),
    (replaced(HIPAA, "in: [low]", "in: [lowest]"), f"{HIPAA}: criteria[1].when.in[0]: 'lowest': expected one of low, not_low"),
    (replaced(DORA, "more_than: 100000}", "more_than: 1e5}"), f"{DORA}: criteria[2].when.more_than: '1e5': expected a whole number, or a decimal in quotes such as \"0.25\""),
    (replaced(DORA, "more_than: 100000}", "more_then: 100000}"), f"{DORA}: criteria[2].when.more_then: unknown key; did you mean more_than?"),
    (replaced(DORA, "more_than: 100000}", "more_than: 100000, at_least: 1}"), f"{DORA}: criteria[2].when: expected one of at_least, more_than beside answer"),
    (replaced(DORA, "percent_of: clients_of_service}", "percent_of: media}"), f"{DORA}: criteria[1].when.percent_of: 'media': expected one of clients_affected, clients_of_service, costs_eur, counterparts_affected, counterparts_of_service, downtime_minutes, duration_minutes, member_states, recurring_count, transaction_value_affected, transaction_value_daily_average, transactions_affected, transactions_daily_average"),
    (replaced(DORA, "more_than: 24, unit: hours}", "more_than: 24}"), f"{DORA}: criteria[8].when.unit: expected unit (minutes or hours) with questions of type minutes, and with no other"),
    (replaced(DORA, "more_than: 24, unit: hours}", "more_than: 24, unit: days}"), f"{DORA}: criteria[8].when.unit: 'days': expected one of hours, minutes"),
    (replaced(DORA, "{met: clients_share}", "{met: t6}"), f"{DORA}: criteria[6].when.any[0].met: 't6': expected one of clients_number, clients_share, counterparts_share, gate, transactions_number, transactions_value"),
    (replaced(DORA, "{at_least: 2, of: [t1, t2", "{at_least: 7, of: [t1, t2"), f"{DORA}: decide[1].when.all[1].count.at_least: 7: expected no more than the 6 different criteria of the list"),
    # criteria, rules, levels
    (replaced(DORA, "key: clients_share", "key: gate"), f"{DORA}: criteria[1].key: gate: given twice; expected once"),
    (replaced(DORA, "more_than: 100000}\n    source: art9_6", "more_than: 100000}\n    source: art9_9"), f"{DORA}: criteria[14].source: 'art9_9': expected one of art1, art6, art8_1a, art8_1b, art8_2, art9_1, art9_2, art9_3, art9_4, art9_5a, art9_5b, art9_6"),
    (replaced(DORA, "of: [t1, t2, t3, t4, t5a, t6]\nlevels", "of: [t1, t7]\nlevels"), f"{DORA}: count.of[1]: 't7': expected one of clients_number, clients_share, counterparts_share, downtime, duration, gate, recurring, t1, t2, t3, t4, t5a, t5b, t6, transactions_number, transactions_value"),
    (replaced(DORA, LAST, LAST.replace("always", "{met: gate}")), f"{DORA}: decide[3].when: expected the last rule to hold always"),
    (replaced(DORA, "{level: major, text", "{level: grave, text"), f"{DORA}: decide[0].level: 'grave': expected one of major, not_major"),
    (replaced(DORA, "key: not_major", "key: major"), f"{DORA}: levels: [1]: major: given twice; expected once"),
    (replaced(DORA, "proposes: {dora.major: false}", "proposes: {dora.majr: false}"), f"{DORA}: levels[0].proposes.dora.majr: expected one of dora.major (see proposes)"),
    (replaced(DORA, "proposes: {dora.major: false}", "proposes: {dora.major: 1}"), f"{DORA}: levels[0].proposes.dora.major: 1: expected true or false"),
    (replaced(DORA, "dora.major: bool", "dora.major: yes"), f"{DORA}: proposes.dora.major: 'yes': expected one of bool"),
    (replaced(HIPAA, "us.hipaa.low_probability: bool", "hipaa.low_probability: bool"), f"{HIPAA}: proposes.hipaa.low_probability: hipaa.low_probability: not a fact of the vocabulary; did you mean us.hipaa.low_probability?"),
    (replaced(DORA, "dora.major: bool", "incident.known_at: bool"), f"{DORA}: proposes.incident.known_at: contested_instant: expected a fact of type bool or choice"),
    (replaced(EDPB, "risk.level: [unlikely, risk, high]", "risk.level: [unlikely, risk, grave]"), f"{EDPB}: proposes.risk.level[2]: 'grave': expected one of high, risk, unlikely"),
    (replaced(EDPB, "risk.level: [unlikely, risk, high]", "risk.level: bool"), f"{EDPB}: proposes.risk.level: 'bool': expected a list of choices"),
    (replaced(ENISA, "fact: people.count", "fact: people.number"), f"{ENISA}: questions[4].fact: people.number: not a fact of the vocabulary; did you mean people.count?"),
    (replaced(ENISA, "fact: people.count", "fact: leak.confirmed"), f"{ENISA}: questions[4].fact: leak.confirmed: bool: expected a fact that answers a question of type whole"),
    (replaced(ENISA, "proposes: {enisa.level: low}", "proposes: {enisa.level: tiny}"), f"{ENISA}: levels[0].proposes.enisa.level: 'tiny': expected one of high, low, medium, very_high"),
    # weights
    (replaced(ENISA, 'known: "0.25"', "known: 0.25"), f"{ENISA}: circumstances.confidentiality.known: 0.25: expected a whole number, or a decimal in quotes such as \"0.25\""),
    (replaced(ENISA, 'value: "0.75"', 'value: "-0.75"'), f"{ENISA}: identification.significant.value: '-0.75': expected a whole number, or a decimal in quotes such as \"0.25\""),
    (replaced(ENISA, "{exposed: 0, ", "{"), f"{ENISA}: circumstances.confidentiality.exposed: missing"),
    (replaced(ENISA, "circumstances:\n  confidentiality:", "circumstances:\n  people:"), f"{ENISA}: circumstances.people: expected a question of type choice"),
    (replaced(ENISA, "{by: 3, ", "{by: 4, "), f"{ENISA}: categories.of.simple.adjustments[3].by: 4: expected a whole number that gives a score from 1 to 4"),
    (replaced(ENISA, "{by: 0, ", "{by: 1, "), f"{ENISA}: categories.of.simple.adjustments: expected the adjustment 0 among them"),
    (replaced(ENISA, "at_least: 0", "at_least: 1"), f"{ENISA}: levels[0].at_least: 1: expected 0 at the lowest level"),
    (replaced(ENISA, "at_least: 3", "at_least: 2"), f"{ENISA}: levels[2].at_least: 2: expected more than 2"),
    (replaced(ENISA, "    at_least: 3\n", ""), f"{ENISA}: levels[2].at_least: missing"),
    (replaced(ENISA, "  score: {text", "  sum: {text"), f"{ENISA}: parts.sum: unknown key; expected one of datasets, product, score"),
    (replaced(ENISA, "more_than: 100}", "is: true}"), f"{ENISA}: flags[0].when.is: unknown key; expected one of answer, at_least, more_than, percent_of, unit"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), MISTAKES, ids=[message[8:80] for _change, message in MISTAKES])
def test_a_mistake_is_refused_and_says_where(law: Path, change: Callable[[Path], None], message: str) -> None:
    change(law)
    with pytest.raises(LawError) as refused:
        load_methods(law, FACTS)
    assert str(refused.value) == message


def test_a_missing_folder_gives_no_method(tmp_path: Path) -> None:
    assert load_methods(tmp_path, FACTS) == {}


def test_any_change_of_the_data_changes_the_digest(law: Path) -> None:
    replaced(DORA, "more_than: 100000}", "more_than: 100001}")(law)
    changed = {key for key, method in load_methods(law, FACTS).items() if method.digest != METHODS[key].digest}
    assert changed == {"dora"}


def test_the_facts_proposed_are_the_few_that_were_agreed() -> None:
    proposed = {name for method in METHODS.values() for name in method.proposes}
    assert proposed == {
        "risk.level", "dora.major", "us.hipaa.low_probability", "enisa.level", "nis2.significant",
        "eu.dora.significant_threat",
    }  # fmt: skip


def test_every_level_of_a_fact_can_be_proposed() -> None:
    for method in METHODS.values():
        for name, values in method.proposes.items():
            assert {level.proposes[name] for level in method.levels if name in level.proposes} == values


def test_what_was_not_read_says_so() -> None:
    unchecked = {key for key, item in METHODS["nis2"].sources.items() if item.checked_on is None}
    assert unchecked == {"art3_1", "art3_2"}
    assert all(
        criterion.confidence == "medium"
        for criterion in METHODS["nis2"].procedure.criteria  # type: ignore[union-attr]
        if criterion.source in unchecked
    )
    assert {item.checked_on for item in METHODS["dora"].sources.values()} == {date(2026, 11, 22)}


def test_the_hints_say_how_sure_their_wording_is() -> None:
    assert {hint.confidence for hint in METHODS["enisa"].hints} == {"high", "medium"}
