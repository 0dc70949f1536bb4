"""The calculators on the worked examples of their sources, and on both sides of every threshold."""

import json
from typing import Any

import pytest

from compliance.engine import canonical_json
from compliance.engine.scoring import ReasonNeeded, UnknownLevel, adoption, calculate, read_answers
from compliance.engine.strict import Node
from tests.compliance.scoring import level, method, nothing, proposal, step

NO_HARM = {"confidentiality": "exposed", "integrity": "no_misuse", "availability": "recoverable", "malicious": "none"}
STOLEN = {"confidentiality": "unknown", "malicious": "intentional"}


def data(category: str, adjustment: int = 0, identification: str = "maximum") -> dict[str, Any]:
    return {"category": category, "adjustment": adjustment, "identification": identification}


def enisa(*datasets: dict[str, Any], **circumstances: Any) -> dict[str, Any]:
    return {"datasets": list(datasets), **NO_HARM, **circumstances}


ENISA = [
    ([data("simple")], {}, "1", "low"),
    ([data("simple")], {"confidentiality": "unknown"}, "1.5", "low"),
    ([data("simple")], STOLEN, "2", "medium"),
    ([data("financial", 1)], STOLEN, "5", "very_high"),
    ([data("sensitive", 0, "limited")], {"confidentiality": "known"}, "2.25", "medium"),
    ([data("behavioural", 1, "significant")], {"availability": "temporary"}, "2.5", "medium"),
    ([data("sensitive", -1)], {}, "3", "high"),
    ([data("simple", 1), data("behavioural")], STOLEN, "3", "high"),
    # one step below each band, and at it
    ([data("simple", 0, "significant")], STOLEN, "1.75", "low"),
    ([data("behavioural")], {"confidentiality": "known", "availability": "permanent"}, "2.75", "medium"),
    ([data("behavioural")], {"confidentiality": "unknown", "integrity": "not_recoverable"}, "3", "high"),
    ([data("financial", 0, "significant")], {**STOLEN, "availability": "permanent"}, "3.75", "high"),
    ([data("financial")], STOLEN, "4", "very_high"),
    ([data("simple")], {"integrity": "recoverable"}, "1.25", "low"),
    # the ends of the scale
    ([data("simple", 0, "negligible")], {}, "0.25", "low"),
    ([data("sensitive")], {**STOLEN, "integrity": "not_recoverable", "availability": "permanent"}, "6", "very_high"),
]


@pytest.mark.parametrize(("datasets", "circumstances", "score", "expected"), ENISA)
def test_enisa_scores_exactly(datasets: list[Any], circumstances: Any, score: str, expected: str) -> None:
    found = proposal("enisa", enisa(*datasets, **circumstances))
    assert (str(found.value), found.level and found.level.key) == (score, expected)
    assert found.proposes == {"enisa.level": expected}


@pytest.mark.parametrize(
    ("category", "adjustment", "context"),
    [
        ("simple", 0, "1"),  # customers of a supermarket
        ("simple", 1, "2"),  # of a luxury shop
        ("simple", 2, "3"),  # deliveries of an adult bookshop
        ("simple", 3, "4"),  # undercover officers
        ("behavioural", 0, "2"),  # a week of calls
        ("behavioural", 1, "3"),  # a year of calls
        ("behavioural", 2, "4"),  # calls to a psychological help line
        ("financial", -1, "2"),  # a day of transactions without details
        ("financial", 0, "3"),  # a month of balances
        ("financial", 1, "4"),  # a year of statements; a bank login
        ("sensitive", -3, "1"),  # had a blood test
        ("sensitive", -1, "3"),  # was tested for a named disease
        ("sensitive", 0, "4"),  # its result
    ],
)
def test_the_context_of_the_examples_comes_out(category: str, adjustment: int, context: str) -> None:
    assert str(proposal("enisa", enisa(data(category, adjustment))).value) == context


def test_the_pair_of_one_data_set_counts_not_the_highest_of_each() -> None:
    found = proposal("enisa", enisa(data("sensitive", 0, "negligible"), data("simple", 1)))
    assert str(found.value) == "2"


@pytest.mark.parametrize(("people", "flag"), [(100, "false"), (101, "true"), (None, "unknown")])
def test_more_than_a_hundred_people_stand_beside_the_score(people: int | None, flag: str) -> None:
    found = proposal("enisa", enisa(data("simple"), people=people))
    assert {item.key: item.value for item in found.beside}["individuals_over_100"] == flag
    assert str(found.value) == "1"


def test_what_is_not_answered_makes_a_range() -> None:
    found = proposal("enisa", {"datasets": [{"category": "financial"}], **NO_HARM})
    assert found.level is None
    assert (str(found.value), found.lowest.key, found.highest.key) == ("0.25..4", "low", "very_high")
    assert [item.key for item in found.open] == ["datasets[0].adjustment", "datasets[0].identification"]
    assert found.proposes == {}


def test_a_range_within_one_level_is_determined() -> None:
    found = proposal("enisa", {"datasets": [data("sensitive")], "malicious": "none"})
    assert (str(found.value), found.level and found.level.key) == ("4..5.5", "very_high")


def test_a_data_set_that_cannot_be_the_highest_leaves_nothing_open() -> None:
    found = proposal("enisa", enisa(data("sensitive"), {"category": "simple"}))
    assert (found.open, str(found.value)) == ((), "4")


def test_every_step_shows_answer_value_and_citation() -> None:
    steps = proposal("enisa", enisa(data("simple", 1, "limited"), **STOLEN), malicious="ransom note").working
    assert [item.value for item in steps] == ["2 x 0.5 = 1", "1", "+0.5", "+0", "+0", "+0.5", "2"]
    assert steps[0].answers == {"category": "simple", "adjustment": 1, "identification": "limited"}
    assert steps[5].reasons == ("malicious: ransom note",)
    assert all(item.source is not None for item in steps)


# DORA


def dora(**answers: Any) -> dict[str, Any]:
    return {**nothing("dora"), **answers}


DORA = [
    ({"malicious_access": True, "may_cause_data_loss": True}, "major"),
    ({"critical_function": True, "downtime_minutes": 180, "duration_minutes": 180, "clients_affected": 12, "clients_of_service": 100}, "major"),
    ({"critical_function": True, "downtime_minutes": 180, "duration_minutes": 180, "clients_affected": 5, "clients_of_service": 100}, "not_major"),
    ({"media": True, "costs_eur": 150000}, "not_major"),
    ({"critical_function": True, "clients_affected": 100000, "clients_of_service": 2000000, "duration_minutes": 1440}, "not_major"),
    ({"supervised_service": True, "media": True, "costs_eur": 150000}, "major"),
    ({"recurring_count": 2, "recurring_together": True}, "major"),
    ({"recurring_count": 1, "recurring_together": True}, "not_major"),
    ({"recurring_count": 2, "recurring_together": False}, "not_major"),
    ({"recurring_count": 2, "recurring_together": True, "recurring_exempt": True}, "not_major"),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "expected"), DORA)
def test_dora_classifies_the_worked_examples(answers: dict[str, Any], expected: str) -> None:
    found = proposal("dora", dora(**answers))
    assert found.level is not None
    assert (found.level.key, found.proposes) == (expected, {"dora.major": expected == "major"})


def test_dora_meets_no_threshold_exactly_at_its_limits() -> None:
    answers = dora(critical_function=True, clients_affected=100000, clients_of_service=2000000, duration_minutes=1440)
    assert str(proposal("dora", answers).value) == "0"


WHOLE = {"clients_of_service": 1000, "counterparts_of_service": 100, "transactions_daily_average": 1000, "transaction_value_daily_average": 1000}  # fmt: skip
DORA_LIMITS = [
    ("clients_share", {"clients_affected": 100}, {"clients_affected": 101}),
    ("clients_number", {"clients_affected": 100000, "clients_of_service": None}, {"clients_affected": 100001, "clients_of_service": None}),
    ("counterparts_share", {"counterparts_affected": 30}, {"counterparts_affected": 31}),
    ("transactions_number", {"transactions_affected": 100}, {"transactions_affected": 101}),
    ("transactions_value", {"transaction_value_affected": 100}, {"transaction_value_affected": "100.01"}),
    ("duration", {"duration_minutes": 1440}, {"duration_minutes": 1441}),
    ("downtime", {"critical_function": True, "downtime_minutes": 120}, {"critical_function": True, "downtime_minutes": 121}),
    ("downtime", {"downtime_minutes": 121}, {"downtime_minutes": 121, "critical_function": True}),
    ("t4", {"member_states": 1}, {"member_states": 2}),
    ("t6", {"costs_eur": 100000}, {"costs_eur": "100000.01"}),
    ("recurring", {"recurring_count": 1, "recurring_together": True}, {"recurring_count": 2, "recurring_together": True}),
]  # fmt: skip


@pytest.mark.parametrize(("criterion", "below", "above"), DORA_LIMITS)
def test_a_dora_limit_is_met_only_beyond_it(criterion: str, below: Any, above: Any) -> None:
    values = [step(proposal("dora", dora(**{**WHOLE, **answers})), criterion) for answers in (below, above)]
    assert values == ["false", "true"]


ALTERNATIVES = {
    "t1": ["clients_share", "clients_number", "counterparts_share", "transactions_number", "transactions_value"],
    "t3": ["duration", "downtime"],
}


@pytest.mark.parametrize(("threshold", "limit"), [(key, item) for key, items in ALTERNATIVES.items() for item in items])
def test_each_limit_of_a_threshold_suffices(threshold: str, limit: str) -> None:
    beyond = next(above for name, _below, above in DORA_LIMITS if name == limit)
    whole = {"clients_of_service": 10_000_000} if limit == "clients_number" else {}
    found = proposal("dora", dora(**{**WHOLE, **beyond, **whole}))
    met = [name for name in ALTERNATIVES[threshold] if step(found, name) == "true"]
    assert (met, step(found, threshold)) == ([limit], "true")


@pytest.mark.parametrize("answer", ["media", "complaints", "requirements_missed", "clients_lost"])
def test_each_ground_of_reputation_suffices(answer: str) -> None:
    assert step(proposal("dora", dora(**{answer: True})), "t2") == "true"


@pytest.mark.parametrize(("met", "expected"), [({"t1": 1}, "not_major"), ({"t1": 1, "t2": 1}, "major")])
def test_two_thresholds_make_it_major(met: dict[str, int], expected: str) -> None:
    answers = {"t1": {"relevant_client": True}, "t2": {"media": True}}
    given = {key: value for name in met for key, value in answers[name].items()}
    assert level("dora", dora(critical_function=True, **given)) == expected


def test_the_literal_reading_of_an_intrusion_that_harms_data_is_shown_not_taken() -> None:
    answers = dora(malicious_access=True, may_cause_data_loss=True, data_impact=True)
    found = proposal("dora", answers)
    assert found.level is not None
    assert found.level.key == "major"
    assert [(item.lowest, item.highest) for item in found.readings] == [("not_major", "not_major")]


def test_what_may_recur_leaves_a_minor_incident_open() -> None:
    answers = dora(critical_function=True)
    del answers["recurring_count"], answers["recurring_together"]
    found = proposal("dora", answers)
    assert (found.lowest.key, found.highest.key) == ("not_major", "major")
    assert [item.key for item in found.open] == ["recurring_count", "recurring_together"]


def test_an_estimate_may_be_a_range() -> None:
    share = {"clients_affected": {"at_least": 50, "at_most": 120}, "clients_of_service": 1000}
    assert step(proposal("dora", dora(**share)), "clients_share") == "unknown"
    surer = {"clients_affected": {"at_least": 101}, "clients_of_service": 1000}
    assert step(proposal("dora", dora(**surer)), "clients_share") == "true"


@pytest.mark.parametrize("lacking", ["could_affect", "high_probability"])
def test_a_significant_threat_needs_all_three(lacking: str) -> None:
    answers = {**nothing("dora_threat"), "could_affect": True, "high_probability": True, "could_meet_spread": True}
    assert level("dora_threat", answers) == "significant"
    assert level("dora_threat", {**answers, lacking: False}) == "not_significant"
    assert level("dora_threat", {**answers, "could_meet_spread": False}) == "not_significant"


# GDPR


def edpb(**answers: Any) -> dict[str, Any]:
    base = {**nothing("edpb"), "personal_data_breach": True, "recipient": "known_other"}
    return {**base, "severity": "moderate", "likelihood": "possible", **answers}


MATRIX = {
    ("limited", "remote"): "unlikely",
    ("serious", "likely"): "high",
    ("very_serious", "possible"): "high",
    ("very_serious", "likely"): "high",
}


@pytest.mark.parametrize("severity", ["limited", "moderate", "serious", "very_serious"])
@pytest.mark.parametrize("likelihood", ["remote", "possible", "likely"])
def test_the_matrix_of_severity_and_likelihood(severity: str, likelihood: str) -> None:
    expected = MATRIX.get((severity, likelihood), "risk")
    found = proposal("edpb", edpb(severity=severity, likelihood=likelihood))
    assert found.proposes == {"risk.level": expected}


GRAVE = [
    {"special_categories": True},
    {"children": True},
    {"identity_and_financial": True},
    {"reusable_credentials": True},
    {"recipient": "not_identified"},
    {"recipient": "criminal"},
]


@pytest.mark.parametrize("ground", GRAVE)
def test_each_ground_presumes_a_high_risk(ground: dict[str, Any]) -> None:
    assert level("edpb", edpb(severity="limited", likelihood="remote", **ground)) == "high"


def test_the_presumption_yields_to_a_known_recipient_of_data_that_tell_little() -> None:
    answers = edpb(special_categories=True, recipient="known_few_asked", severity="limited", likelihood="remote")
    assert level("edpb", {**answers, "tells_little": True}) == "unlikely"
    assert level("edpb", {**answers, "tells_little": False}) == "high"


def test_unintelligible_data_need_the_backup_and_no_other_effect_too() -> None:
    secured = {"unintelligible": True, "intact_backup": True, "children": True}
    assert level("edpb", edpb(**secured)) == "unlikely"
    assert level("edpb", edpb(**{**secured, "intact_backup": False})) == "high"
    assert level("edpb", edpb(**secured, other_effect=True)) == "high"


@pytest.mark.parametrize("ground", ["nobody_affected", "lawfully_public"])
def test_data_that_can_harm_nobody_make_a_risk_unlikely(ground: str) -> None:
    assert level("edpb", edpb(**{ground: True})) == "unlikely"


def test_the_risk_test_stops_without_a_breach() -> None:
    found = proposal("edpb", edpb(personal_data_breach=False))
    assert (found.level and found.level.key, found.proposes) == ("no_breach", {})


def test_factors_are_recorded_with_their_reason_and_change_nothing() -> None:
    plain, told = proposal("edpb", edpb()), proposal("edpb", edpb(factor_persons="raises"), factor_persons="patients")
    assert plain.level == told.level
    assert ("raises", "patients") in [(item.value, item.reason) for item in told.beside]
    assert len(plain.to_record) == len(told.to_record) + 1 == 8


# HIPAA

HIPAA = {**nothing("hipaa"), "impermissible": True, **dict.fromkeys(("nature", "recipient", "acquired", "mitigated"), "low")}  # fmt: skip


@pytest.mark.parametrize("factor", ["nature", "recipient", "acquired", "mitigated"])
def test_each_of_the_four_factors_can_keep_the_presumption(factor: str) -> None:
    assert proposal("hipaa", HIPAA).proposes == {"us.hipaa.low_probability": True}
    assert proposal("hipaa", {**HIPAA, factor: "not_low"}).proposes == {"us.hipaa.low_probability": False}
    assert level("hipaa", {**HIPAA, factor: None}) is None


@pytest.mark.parametrize("ground", ["secured", "unintentional_access", "inadvertent_disclosure", "could_not_retain"])
def test_each_exclusion_stands_alone(ground: str) -> None:
    found = proposal("hipaa", {**HIPAA, "nature": "not_low", ground: True})
    assert (found.level and found.level.key, found.proposes) == ("no_breach", {})


def test_until_the_four_factors_are_assessed_a_breach_is_presumed() -> None:
    found = proposal("hipaa", {**nothing("hipaa"), "impermissible": True})
    assert found.level is None
    assert found.until_decided.en == "Until the assessment is complete, a breach is presumed."
    assert [item.key for item in found.open] == ["nature", "recipient", "acquired", "mitigated"]


# NIS2


def nis2(kind: str, **answers: Any) -> dict[str, Any]:
    base = {**nothing("nis2"), "turnover_eur": 100000000, "eu_users": 1000000000, "names_managed": 1000000}
    return {**base, "kind": kind, **answers}


NIS2 = [
    ("a", "cloud", {"loss_eur": 500000}, {"loss_eur": "500000.01"}),
    ("a", "cloud", {"loss_eur": 5, "turnover_eur": 100}, {"loss_eur": "5.01", "turnover_eur": 100}),
    ("recurring", "cloud", {"recurring_count": 1, "recurring_loss_eur": 500001}, {"recurring_count": 2, "recurring_loss_eur": 500001}),
    ("recurring", "cloud", {"recurring_count": 2, "recurring_loss_eur": 500000}, {"recurring_count": 2, "recurring_loss_eur": 500001}),
    ("recurring", "cloud", {"recurring_count": 2, "recurring_loss_eur": 5, "turnover_eur": 100}, {"recurring_count": 2, "recurring_loss_eur": "5.01", "turnover_eur": 100}),
    ("many_down", "marketplace", {"users_down": 5, "eu_users": 100}, {"users_down": 6, "eu_users": 100}),
    ("dns", "dns", {"down_minutes": 30}, {"down_minutes": 31}),
    ("dns", "dns", {"mean_response_seconds": 10, "slow_minutes": 61}, {"mean_response_seconds": "10.1", "slow_minutes": 61}),
    ("dns", "dns", {"mean_response_seconds": 11, "slow_minutes": 60}, {"mean_response_seconds": 11, "slow_minutes": 61}),
    ("dns", "dns", {"zone_data_compromised": True, "misconfiguration": True, "names_touched": 999}, {"zone_data_compromised": True, "misconfiguration": True, "names_touched": 1000}),
    ("dns", "dns", {"zone_data_compromised": True, "misconfiguration": True, "names_touched": 10, "names_managed": 1000}, {"zone_data_compromised": True, "misconfiguration": True, "names_touched": 11, "names_managed": 1000}),
    ("dns", "dns", {"zone_data_compromised": False}, {"zone_data_compromised": True}),
    ("tld", "tld", {"down_minutes": 0}, {"down_minutes": 1}),
    ("tld", "tld", {"zone_data_compromised": False}, {"zone_data_compromised": True}),
    ("cloud", "cloud", {"down_minutes": 30}, {"down_minutes": 31}),
    ("cloud", "cloud", {"users_limited": 1000000, "limited_minutes": 61}, {"users_limited": 1000001, "limited_minutes": 61}),
    ("cloud", "cloud", {"users_limited": 1000001, "limited_minutes": 60}, {"users_limited": 1000001, "limited_minutes": 61}),
    ("cloud", "cloud", {"users_compromised": 5, "eu_users": 100}, {"users_compromised": 6, "eu_users": 100}),
    ("cloud", "cloud", {}, {"malicious_compromise": True}),
    ("data_centre", "data_centre", {}, {"down_minutes": 1}),
    ("data_centre", "data_centre", {"limited_minutes": 60}, {"limited_minutes": 61}),
    ("data_centre", "data_centre", {}, {"physical_access": True}),
    ("cdn_managed", "cdn", {"down_minutes": 30}, {"down_minutes": 31}),
    ("cdn_managed", "msp_mssp", {"users_compromised": 1000000}, {"users_compromised": 1000001}),
    ("tld", "tld", {"mean_response_seconds": 11, "slow_minutes": 60}, {"mean_response_seconds": 11, "slow_minutes": 61}),
    ("cdn_managed", "cdn", {"users_limited": 1000001, "limited_minutes": 60}, {"users_limited": 1000001, "limited_minutes": 61}),
    ("cdn_managed", "cdn", {}, {"malicious_compromise": True}),
    ("platform", "social_network", {"users_compromised": 1000000}, {"users_compromised": 1000001}),
    ("platform", "marketplace", {"users_down": 1000000}, {"users_down": 1000001}),
    ("platform", "search_engine", {"users_limited": 5, "eu_users": 100}, {"users_limited": 6, "eu_users": 100}),
    ("platform", "social_network", {}, {"malicious_compromise": True}),
    ("trust_service", "trust_service", {"down_minutes": 20}, {"down_minutes": 21}),
    ("trust_service", "trust_service", {"down_week_minutes": 60}, {"down_week_minutes": 61}),
    ("trust_service", "trust_service", {"users_limited": 200000}, {"users_limited": 200001}),
    ("trust_service", "trust_service", {"users_limited": 1, "eu_users": 100}, {"users_limited": 2, "eu_users": 100}),
    ("trust_service", "trust_service", {"users_compromised": 100}, {"users_compromised": 101}),
    ("trust_service", "trust_service", {"users_compromised": 1, "eu_users": 1000}, {"users_compromised": 2, "eu_users": 1000}),
    ("trust_service", "trust_service", {}, {"physical_access": True}),
    *((letter, "cloud", {}, {answer: True}) for letter, answer in (("b", "trade_secrets"), ("c", "death"), ("d", "health_damage"), ("e", "disruptive_access"))),
]  # fmt: skip


@pytest.mark.parametrize(("criterion", "kind", "below", "above"), NIS2)
def test_a_nis2_limit_is_met_only_beyond_it(criterion: str, kind: str, below: Any, above: Any) -> None:
    under, over = proposal("nis2", nis2(kind, **below)), proposal("nis2", nis2(kind, **above))
    assert [step(under, criterion), step(over, criterion)] == ["false", "true"]
    assert [under.proposes, over.proposes] == [{"nis2.significant": False}, {"nis2.significant": True}]


def test_planned_maintenance_is_never_significant() -> None:
    assert level("nis2", nis2("tld", down_minutes=600, planned_maintenance=True)) == "not_significant"


def test_a_provider_that_is_not_listed_is_not_covered() -> None:
    assert level("nis2", nis2("other", death=True)) == "not_covered"


# Adoption


def test_the_proposal_is_adopted_without_a_reason() -> None:
    found = adoption(proposal("hipaa", HIPAA), "low_probability")
    assert (found.departs, found.reason, found.facts) == (False, "", {"us.hipaa.low_probability": True})
    assert (found.digest, found.version) == (method("hipaa").digest, 1)


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_departing_without_a_reason_is_refused_in_both_languages(reason: str) -> None:
    with pytest.raises(ReasonNeeded) as refused:
        adoption(proposal("hipaa", HIPAA), "presumed_breach", reason)
    assert refused.value.en == "hipaa: presumed_breach: departs from the proposal (low_probability); expected a reason"
    assert refused.value.ko == "hipaa: presumed_breach: 제안(low_probability)과 다릅니다. 이유를 적으십시오."


def test_departing_with_a_reason_is_kept_with_it() -> None:
    found = adoption(proposal("hipaa", HIPAA), "presumed_breach", " The laptop is on sale. ")
    assert (found.proposed, found.departs, found.reason) == ("low_probability", True, "The laptop is on sale.")
    assert found.facts == {"us.hipaa.low_probability": False}


def test_an_undetermined_proposal_needs_a_reason_for_every_choice() -> None:
    with pytest.raises(ReasonNeeded) as refused:
        adoption(proposal("dora", {}), "major")
    assert refused.value.en == "dora: major: the proposal is undetermined (not_major..major); expected a reason"
    assert refused.value.ko == "dora: major: 제안이 정해지지 않았습니다(not_major..major). 이유를 적으십시오."
    assert adoption(proposal("dora", {}), "major", "Board decision.").proposed is None


def test_a_level_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnknownLevel) as refused:
        adoption(proposal("dora", {}), "huge", "x")
    assert refused.value.en == "dora: 'huge': not a level; expected one of not_major, major"
    assert refused.value.ko == "dora: 'huge': 등급이 아닙니다. 다음 중 하나여야 합니다: not_major, major"


# Facts


def test_a_recorded_fact_answers_its_question_and_an_answer_goes_before_it() -> None:
    enisa_method = method("enisa")
    read = read_answers(Node({"answers": {}}, file="x", key=""), enisa_method)
    said = read_answers(Node({"answers": {"people": 5}}, file="x", key=""), enisa_method)
    flags = [
        {item.key: item.value for item in calculate(enisa_method, answers, {"people.count": 22227}).beside}
        for answers in (read, said)
    ]
    assert [item["individuals_over_100"] for item in flags] == ["true", "false"]


@pytest.mark.parametrize("key", ["dora", "dora_threat", "edpb", "enisa", "hipaa", "nis2"])
def test_a_proposal_can_be_sealed(key: str) -> None:
    found = proposal(key, {}).to_json()
    assert json.loads(canonical_json(found)) == found
    assert found["status"] == "undetermined"
