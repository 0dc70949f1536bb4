"""Starts, deadlines, versions and statuses, each on law that does nothing else."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from compliance.engine import Candidate, EntityProfile, Event, PeopleCount, Standing, Status, Submission, together
from compliance.engine import assess as assess_law
from compliance.engine.types import FactSheet
from tests.compliance.minilaw import AS_OF, both, duties, duty, library, rule, stage, version

T0 = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)  # Monday 14:00 in Seoul
H = timedelta(hours=1)
LEAVES_OPEN = {"fact": "bad", "is": True}


def one(key: str, at: datetime = T0, **more: Any) -> tuple[Candidate, ...]:
    return (Candidate(key, at, **more),)


def done(stage_key: str, at: datetime, rule_key: str = "xx.act.report", occurrence: str = "") -> Submission:
    return Submission(rule_key, stage_key, occurrence, at)


# --- starts


def test_hours_run_from_the_recorded_start() -> None:
    found = duty(library(rule()), {"known": one("a")})
    assert (found.status, found.starts_at, found.due_at) == (Status.REQUIRED, T0, T0 + 72 * H)
    assert not found.provisional
    assert found.trace[0].text.en == "starts"


def test_the_earliest_arguable_candidate_drives_and_the_others_are_shown() -> None:
    known = (Candidate("late", T0 + H), Candidate("early", T0), Candidate("no", T0 - H, arguable=False))
    found = duty(library(rule()), {"known": known})
    assert found.starts_at == T0
    shown = [(item.key, item.due_at, item.driving, item.arguable) for item in found.alternatives]
    assert shown == [
        ("no", T0 + 71 * H, False, False),
        ("early", T0 + 72 * H, True, True),
        ("late", T0 + 73 * H, False, True),
    ]


def test_an_adopted_candidate_drives() -> None:
    known = (Candidate("early", T0), Candidate("late", T0 + H, adopted=True))
    assert duty(library(rule()), {"known": known}).starts_at == T0 + H


def test_a_later_discovery_never_moves_the_deadline() -> None:
    law = library(rule())
    first = duty(law, {"known": one("a")})
    both_known = duty(law, {"known": (*one("a"), *one("b", T0 + 500 * H))})
    assert both_known.due_at == first.due_at
    assert [item.driving for item in both_known.alternatives] == [True, False]


def test_no_arguable_candidate_is_no_start() -> None:
    found = duty(library(rule()), {"known": one("a", arguable=False)})
    assert (found.starts_at, found.due_at) == (None, None)
    assert found.questions == ("known",)


def test_a_possible_duty_without_its_start_counts_from_what_stands_in_and_says_so() -> None:
    law = library(rule(version(applies_when=LEAVES_OPEN)))
    found = duty(law, {"seen": one("s")})
    assert (found.status, found.due_at, found.provisional) == (Status.POSSIBLE, T0 + 72 * H, True)
    assert "'contested_instant' is not recorded, counted from 'contested_instant'" in found.trace[0].text.en
    assert found.questions == ("bad", "known")


def test_a_duty_that_stands_is_not_counted_from_what_stands_in() -> None:
    found = duty(library(rule()), {"seen": one("s")})
    assert (found.status, found.starts_at, found.due_at, found.provisional) == (Status.REQUIRED, None, None, False)
    assert found.guidance is not None
    assert found.guidance.at == T0 + 72 * H
    assert found.questions == ("known",)


def test_a_milestone_that_is_not_reached_has_no_deadline() -> None:
    found = duty(
        library(rule(version(stage(clock={"from": "ended", "within": 30, "counting": "calendar.days"})))),
        {"known": one("a")},
    )
    assert (found.status, found.due_at, found.questions) == (Status.REQUIRED, None, ("ended",))
    assert found.trace[-1].text.en == "the start is not recorded: no deadline can be counted"


def test_an_event_counts_from_its_first_happening() -> None:
    law = library(rule(version(stage(clock={"from": "change", "within": 2, "counting": "strict.hours"}))))
    events = (Event("b", T0 + H), Event("a", T0))
    assert duty(law, {"change": events, "known": one("a")}).due_at == T0 + 2 * H


@pytest.mark.parametrize(("kind", "expected"), [("earliest", T0), ("latest", T0 + H)])
def test_the_earliest_or_latest_of_several(kind: str, expected: datetime) -> None:
    clock = {"from": {kind: ["known", "told"]}, "within": 1, "counting": "strict.hours"}
    found = duty(library(rule(version(stage(clock=clock)))), {"known": one("a"), "told": one("t", T0 + H)})
    assert (found.starts_at, found.due_at) == (expected, expected + H)
    assert f"the {kind} of several moments" in [step.text.en for step in found.trace]


def test_the_latest_waits_for_every_part_and_the_earliest_for_none() -> None:
    clock = {"from": {"latest": ["known", "told"]}, "within": 1, "counting": "strict.hours"}
    waiting = duty(library(rule(version(stage(clock=clock)))), {"known": one("a")})
    assert (waiting.due_at, waiting.questions) == (None, ("told",))
    clock = {"from": {"earliest": ["known", "told"]}, "within": 1, "counting": "strict.hours"}
    begun = duty(library(rule(version(stage(clock=clock)))), {"known": one("a")})
    assert (begun.due_at, begun.questions) == (T0 + H, ())


def test_of_the_earliest_what_is_recorded_counts_before_what_stands_in() -> None:
    clock = {"from": {"earliest": ["known", "told"]}, "within": 1, "counting": "strict.hours"}
    law = library(rule(version(stage(clock=clock), connects_by="told")))
    found = duty(law, {"seen": one("s", T0 - 5 * H), "told": one("t")})
    assert found.starts_at == T0


# --- duties that hang on others

FINAL = {"from": {"submitted": "first"}, "within": 1, "counting": "calendar.months"}


def test_counted_from_the_submission_it_follows_not_from_its_deadline() -> None:
    law = library(rule(version(stage(), stage("final", FINAL))))
    waiting = duties(law, {"known": one("a")})[1]
    assert (waiting.stage, waiting.due_at) == ("final", None)
    assert waiting.trace[0].text.en == "does not start before 'first' is done"
    sent = T0 + 5 * H
    found = duties(law, {"known": one("a")}, submissions=(done("first", sent),))[1]
    assert found.starts_at == sent
    assert found.due_at == datetime(2026, 4, 2, 15, tzinfo=UTC)


def test_of_a_stage_done_twice_the_first_or_the_latest_counts() -> None:
    latest = {"from": {"submitted": "first", "which": "latest"}, "within": 1, "counting": "strict.hours"}
    first = {"from": {"submitted": "first", "which": "first"}, "within": 1, "counting": "strict.hours"}
    law = library(rule(version(stage(), stage("a", latest), stage("b", first))))
    sent = (done("first", T0 + 5 * H), done("first", T0))
    found = {item.stage: item.due_at for item in duties(law, {"known": one("k")}, submissions=sent)}
    assert (found["a"], found["b"]) == (T0 + 6 * H, T0 + H)


def test_counted_from_the_submission_of_another_rule() -> None:
    other = rule(key="xx.act.other")
    clock = {"from": {"submitted": "first", "rule": "xx.act.other"}, "within": 1, "counting": "strict.hours"}
    law = library(rule(version(stage(clock=clock))), other)
    found = duties(law, {"known": one("k")}, submissions=(done("first", T0, "xx.act.other"),))
    assert next(item.due_at for item in found if item.rule == "xx.act.report") == T0 + H


def test_counted_from_the_end_of_another_period_done_or_not() -> None:
    clock = {"from": {"due": "first"}, "within": 24, "counting": "strict.hours"}
    law = library(rule(version(stage(), stage("second", clock))))
    found = {item.stage: item.due_at for item in duties(law, {"known": one("k")})}
    assert found["second"] == T0 + 96 * H


def test_periods_that_wait_for_each_other_have_no_end() -> None:
    law = library(
        rule(
            version(
                stage("a", {"from": {"due": "b"}, "within": 1, "counting": "strict.hours"}),
                stage("b", {"from": {"due": "a"}, "within": 1, "counting": "strict.hours"}),
            )
        )
    )
    assert {item.due_at for item in duties(law, {"known": one("k")})} == {None}


def test_each_happening_after_the_report_opens_one() -> None:
    supplement = stage(
        "more", {"from": "change", "within": 24, "counting": "strict.hours"}, per_event="change", after="first"
    )
    law = library(rule(version(stage(), supplement)))
    facts = {"known": one("a"), "change": (Event("e1", T0), Event("e2", T0 + 2 * H), Event("e3", T0 + 3 * H))}
    assert [item.stage for item in duties(law, facts)] == ["first"]
    found = duties(law, facts, submissions=(done("first", T0 + H), done("first", T0 + 9 * H)))
    assert [(item.occurrence, item.due_at) for item in found if item.stage == "more"] == [
        ("e2", T0 + 26 * H),
        ("e3", T0 + 27 * H),
    ]


def test_each_request_opens_one_without_any_report_before() -> None:
    answer = stage("answer", {"from": "change", "within": 5, "counting": "strict.hours"}, per_event="change")
    found = duties(
        library(rule(version(answer))), {"known": one("a"), "change": (Event("e1", T0), Event("e2", T0 + H))}
    )
    assert [(item.occurrence, item.due_at) for item in found] == [("e1", T0 + 5 * H), ("e2", T0 + 6 * H)]


def test_a_recurring_report_opens_the_next_until_the_last_is_done() -> None:
    progress = stage(
        "progress", {"from": {"submitted": "first"}, "within": 90, "counting": "calendar.days"}, recurs_until="final"
    )
    law = library(rule(version(stage(), progress, stage("final", FINAL))))
    sent = (done("first", T0), done("progress", T0 + 100 * H), done("progress", T0 + 200 * H))
    found = [item for item in duties(law, {"known": one("a")}, submissions=sent) if item.stage == "progress"]
    assert sorted((item.occurrence, item.starts_at) for item in found) == [
        ("", T0),
        ("#2", T0 + 100 * H),
        ("#3", T0 + 200 * H),
    ]
    ended = duties(law, {"known": one("a")}, submissions=(*sent, done("final", T0 + 300 * H)))
    assert [item.occurrence for item in ended if item.stage == "progress"] == [""]


# --- an order of acts


def ordered(kind: str, **more: Any) -> Any:
    people = stage("people", {"from": "known", "within": 60, "counting": "strict.hours"})
    first = stage(
        "regulator", {"from": "known", "standard": "as_set"}, order=[{kind: "people", "text": both("order"), **more}]
    )
    return library(rule(version(first, people)))


@pytest.mark.parametrize("kind", ["before", "with"])
def test_an_act_bound_to_another_is_due_with_it(kind: str) -> None:
    law = ordered(kind)
    found = {item.stage: item for item in duties(law, {"known": one("a")})}
    assert found["regulator"].due_at == T0 + 60 * H
    assert found["regulator"].trace[-1].text.en == "order ('people' is due)"
    sent = {item.stage: item for item in duties(law, {"known": one("a")}, submissions=(done("people", T0 + 9 * H),))}
    assert sent["regulator"].due_at == T0 + 9 * H
    assert sent["regulator"].trace[-1].text.en == "order ('people' was done)"
    assert [text.en for text in found["regulator"].law.order] == ["order"]


def test_an_act_bound_to_another_keeps_its_own_earlier_limit() -> None:
    people = stage("people", {"from": "known", "within": 60, "counting": "strict.hours"})
    own = {"from": "known", "within": 10, "counting": "strict.hours"}
    law = library(rule(version(stage("regulator", own, order=[{"with": "people", "text": both("order")}]), people)))
    assert duties(law, {"known": one("a")})[0].due_at == T0 + 10 * H


def test_not_before_opens_with_the_other_act() -> None:
    law = ordered("after")
    before = next(item for item in duties(law, {"known": one("a")}) if item.stage == "regulator")
    assert (before.opens_at, before.due_at) == (None, None)
    sent = (done("people", T0 + 9 * H), done("people", T0 + 20 * H))
    after = next(item for item in duties(law, {"known": one("a")}, submissions=sent) if item.stage == "regulator")
    assert after.opens_at == T0 + 9 * H


def test_a_number_of_days_may_have_to_pass_first() -> None:
    clock = {
        "from": "known",
        "standard": "without_undue_delay",
        "opens": {"from": "told", "within": 7, "counting": "calendar.days"},
    }
    law = library(rule(version(stage(clock=clock))))
    assert duty(law, {"known": one("a")}).opens_at is None
    assert duty(law, {"known": one("a"), "told": one("t")}).opens_at == datetime(2026, 3, 9, 15, tzinfo=UTC)


# --- limits

DORA = {
    "from": "told", "within": 4, "counting": "strict.hours",
    "second": {"from": "known", "within": 24, "counting": "strict.hours"}, "binding": "earliest_unless_begun_after",
}  # fmt: skip


@pytest.mark.parametrize(
    ("classified", "due"),
    [(None, 24), (1, 5), (20, 24), (21, 24), (23.9, 24), (24, 24), (24.5, 28.5), (30, 34)],
)
def test_four_hours_from_classification_and_no_later_than_a_day_from_awareness(
    classified: float | None, due: float
) -> None:
    facts = {"known": one("a")}
    if classified is not None:
        facts["told"] = one("c", T0 + classified * H)
    assert duty(library(rule(version(stage(clock=DORA)))), facts).due_at == T0 + due * H


@pytest.mark.parametrize(("binding", "due"), [("earliest", 5), ("latest", 24), ("shown", 5)])
def test_which_of_two_limits_binds(binding: str, due: int) -> None:
    law = library(rule(version(stage(clock={**DORA, "binding": binding}))))
    found = duty(law, {"known": one("a"), "told": one("c", T0 + H)})
    assert found.due_at == T0 + due * H
    assert [item.due_at for item in found.later] == ([T0 + 24 * H] if binding == "shown" else [])


def test_the_second_limit_alone_stands_only_when_it_has_begun() -> None:
    law = library(rule(version(stage(clock=DORA), connects_by="told")))
    assert duty(law, {"told": one("c")}).due_at == T0 + 4 * H
    assert duty(law, {}).due_at is None
    shown = library(rule(version(stage(clock={**DORA, "binding": "shown"}))))
    assert duty(shown, {"known": one("a")}).due_at is None


def test_words_stay_words() -> None:
    found = duty(library(rule(version(stage(clock={"from": "known", "standard": "immediately"})))), {"known": one("a")})
    assert (found.standard, found.starts_at, found.due_at, found.limit.en) == ("immediately", T0, None, "at once")
    assert found.trace[-1].text.en == "the law sets no number (at once)"
    assert duty(library(rule(version(stage(clock={"from": "known", "standard": "immediately"})))), {}).starts_at is None


def test_a_number_beside_words_is_a_ceiling() -> None:
    clock = {"from": "known", "standard": "without_undue_delay", "within": 72, "counting": "strict.hours"}
    found = duty(library(rule(version(stage(clock=clock)))), {"known": one("a")})
    assert (found.standard, found.law.ceiling_of, found.due_at) == ("hours", "without_undue_delay", T0 + 72 * H)
    assert found.limit.en == "without delay, at the latest 72 hours"
    assert "ceiling" in found.trace[-1].text.en


def test_the_day_may_stand_in_an_order() -> None:
    law = library(rule(version(stage(clock={"from": "known", "standard": "as_set", "set_by": "set_for"}))))
    assert duty(law, {"known": one("a")}).due_at is None
    assert duty(law, {"known": one("a"), "set_for": T0 + 30 * H}).due_at == T0 + 30 * H


def test_guidance_is_shown_and_is_no_deadline() -> None:
    soft = {"text": both("expected"), "from": "known", "within": 5, "counting": "calendar.days"}
    law = library(rule(version(stage(clock={"from": "known", "standard": "without_undue_delay", "guidance": soft}))))
    found = duty(law, {"known": one("a")})
    assert found.due_at is None
    assert found.guidance is not None
    assert (found.guidance.text.en, found.guidance.at) == ("expected", datetime(2026, 3, 7, 15, tzinfo=UTC))
    words = library(
        rule(version(stage(clock={"from": "known", "standard": "immediately", "guidance": {"text": both("aim")}})))
    )
    assert duty(words, {"known": one("a")}).guidance.at is None


def test_a_month_is_not_720_hours_and_business_days_are_not_hours() -> None:
    months = {"from": "known", "within": 1, "counting": "calendar.months"}
    law = library(rule(version(stage(clock=months))))
    assert duty(law, {"known": one("a")}).due_at == datetime(2026, 4, 2, 15, tzinfo=UTC)  # 31 days and a night
    days = {"from": "known", "within": 14, "counting": "business.days"}
    law = library(rule(version(stage(clock=days))))
    assert duty(law, {"known": one("a")}).due_at == datetime(2026, 3, 20, 15, tzinfo=UTC)
    assert duty(law, {"known": one("a")}).standard == "business_days"


# --- versions

TWO = (
    version(until="2026-03-03"),
    version(stage(clock={"from": "known", "within": 24, "counting": "strict.hours"}), **{"from": "2026-03-03"}),
)


@pytest.mark.parametrize(
    ("at", "chosen", "hours"),
    [
        (datetime(2026, 3, 2, 14, 59, tzinfo=UTC), "2020-01-01", 72),  # 23:59 in Seoul
        (datetime(2026, 3, 2, 15, 0, tzinfo=UTC), "2026-03-03", 24),  # 00:00 in Seoul
    ],
)
def test_the_day_of_the_authority_chooses_the_version(at: datetime, chosen: str, hours: int) -> None:
    found = duty(library(rule(*TWO)), {"known": one("a", at)})
    assert (found.version, found.due_at) == (chosen, at + hours * H)


def test_a_rule_is_asked_at_the_incidents_own_date_not_today() -> None:
    found = duty(library(rule(*TWO)), {"known": one("a", T0)}, as_of=datetime(2027, 1, 1, tzinfo=UTC))
    assert found.version == "2020-01-01"


def test_before_the_first_and_after_the_last_version_there_is_no_duty() -> None:
    law = library(rule(version(until="2026-01-01")))
    assert duties(law, {"known": one("a", datetime(2019, 12, 31, tzinfo=UTC))}) == []
    assert duties(law, {"known": one("a", T0)}) == []


def test_without_the_fact_that_chooses_the_text_of_today_is_read_and_said() -> None:
    found = duty(library(rule(*TWO)), {}, as_of=datetime(2026, 2, 1, tzinfo=UTC))
    assert found.version == "2020-01-01"
    assert (
        found.trace[0].text.en
        == "the moment that chooses the version is not recorded: read under the text of 2026-02-01"
    )
    assert duties(library(rule(version(until="2021-01-01"))), {}) == []


def test_what_stands_in_chooses_the_version_before_today_does() -> None:
    found = duty(library(rule(*TWO)), {"seen": one("s")})
    assert found.version == "2020-01-01"


def test_candidates_under_two_texts_are_flagged() -> None:
    law = library(rule(*TWO))
    found = duty(law, {"known": (*one("a", T0), *one("b", T0 + 48 * H))})
    assert "a lawyer must decide" in found.trace[0].text.en
    assert [item.due_at for item in found.alternatives] == [T0 + 72 * H, T0 + 72 * H]  # each under its own text
    same = duty(law, {"known": (*one("a", T0), *one("b", T0 + H))})
    assert "lawyer" not in same.trace[0].text.en


def test_what_if_it_happened_under_the_law_of_another_day() -> None:
    law = library(rule(*TWO))
    found = duty(law, {"known": one("a", T0)}, law_on=date(2026, 6, 1))
    assert (found.version, found.due_at) == ("2026-03-03", T0 + 24 * H)
    assert found.trace[0].text.en == "what if: read under the text of 2026-06-01"


@pytest.mark.parametrize("standing", ["proposed", "not_in_force", "not_confirmed"])
def test_what_is_not_law_gives_no_duty_and_is_shown(standing: str) -> None:
    law = library(rule(version(**{"from": None}, standing=standing)))
    found = assess_law(law, FactSheet({"known": one("a")}), EntityProfile("e", "E"), AS_OF)
    assert found.duties == ()
    assert [(item.rule, item.standing, item.version) for item in found.notices] == [
        ("xx.act.report", Standing(standing), "undated")
    ]
    assert found.to_json()["not_in_force"][0]["says"] == both("carries out")


def test_what_is_not_law_for_others_is_not_shown() -> None:
    law = library(rule(version(standing="proposed"), who={"role": "bank"}))
    assert assess_law(law, FactSheet(), EntityProfile("e", "E"), AS_OF).notices == ()
    assert len(assess_law(law, FactSheet(), EntityProfile("e", "E", roles=None), AS_OF).notices) == 1


def test_a_class_may_start_later() -> None:
    later = [{"who": {"role": "bank"}, "from": "2026-06-01", "text": both("banks later")}]
    law = library(rule(version(later_starts=later)))
    bank = EntityProfile("b", "B", roles=("bank",))
    early = duty(law, {"known": one("a")}, entity=bank)
    assert (early.status, early.because[0].text.en) == (Status.NOT_REQUIRED, "banks later")
    assert duty(law, {"known": one("a", datetime(2026, 6, 1, tzinfo=UTC))}, entity=bank).status is Status.REQUIRED
    assert duty(law, {"known": one("a")}).status is Status.REQUIRED


# --- status


def test_a_rule_for_others_is_not_required_and_says_why() -> None:
    found = duty(library(rule(who={"role": "bank"})), {"known": one("a")})
    assert (found.status, found.due_at, found.questions, found.concerns_entity) == (
        Status.NOT_REQUIRED,
        None,
        (),
        False,
    )
    assert found.because[0].text.en == "role bank: no"


def test_an_unknown_role_leaves_the_duty_possible() -> None:
    found = duty(library(rule(who={"role": "bank"})), {"known": one("a")}, entity=EntityProfile("e", "E", roles=None))
    assert (found.status, found.questions, found.due_at) == (Status.POSSIBLE, ("entity.roles",), T0 + 72 * H)


def test_the_reasons_of_a_stage_carry_its_provision() -> None:
    own = [{"provision": both("art. 9"), "url": "https://law.example/9", "checked_on": "2026-11-22"}]
    law = library(
        rule(
            version(
                stage(also_when=LEAVES_OPEN, citations=own), stage("b"), applies_when={"fact": "size", "at_least": 1}
            )
        )
    )
    found = {item.stage: item for item in duties(law, {"known": one("a"), "bad": True, "size": 3})}
    assert [(reason.text.en, reason.citation) for reason in found["first"].because] == [
        ("integer: 3 h", "art. 9 (ko)"),
        ("bool: yes", "art. 9 (ko)"),
    ]
    assert [reason.citation for reason in found["b"].because] == ["art. 1 (ko)"]


def test_a_stages_own_condition_stands_in_place_of_the_versions() -> None:
    law = library(rule(version(stage(applies_when="always"), stage("b"), applies_when=LEAVES_OPEN)))
    found = {item.stage: item.status for item in duties(law, {"known": one("a"), "bad": False})}
    assert found == {"first": Status.REQUIRED, "b": Status.NOT_REQUIRED}


EXEMPT = [{"text": both("free"), "provision": "art. 2", "when": LEAVES_OPEN, "stages": ["first"]}]


def test_an_exemption_must_be_shown_to_apply_and_frees_only_its_stages() -> None:
    law = library(rule(version(stage(), stage("b"), exemptions=EXEMPT)))
    unknown = {item.stage: item.status for item in duties(law, {"known": one("a")})}
    assert unknown == {"first": Status.REQUIRED, "b": Status.REQUIRED}
    found = {item.stage: item for item in duties(law, {"known": one("a"), "bad": True})}
    assert (found["first"].status, found["b"].status) == (Status.NOT_REQUIRED, Status.REQUIRED)
    assert [(reason.text.en, reason.citation) for reason in found["first"].because] == [
        ("free", "art. 2"),
        ("bool: yes", None),
    ]
    assert [text.en for text in found["first"].exemptions] == ["free"]
    assert found["b"].exemptions == ()


def test_why_a_duty_is_not_required_is_told_with_outcome_and_provision() -> None:
    later = [{"who": "always", "from": "2026-06-01", "text": both("later")}]
    not_yet = duty(library(rule(version(later_starts=later))), {"known": one("a")}).because
    assert [(item.text.en, item.outcome.value, item.citation) for item in not_yet] == [
        ("later", "false", "art. 1 (ko)")
    ]
    exempt = duty(library(rule(version(exemptions=EXEMPT))), {"known": one("a"), "bad": True}).because
    assert [(item.text.en, item.outcome.value, item.citation) for item in exempt] == [
        ("free", "true", "art. 2"),
        ("bool: yes", "true", None),
    ]


def test_an_exemption_that_nobody_can_decide_here_changes_nothing() -> None:
    law = library(rule(version(exemptions=[{"text": both("maybe"), "provision": "art. 3"}])))
    assert duty(law, {"known": one("a")}).status is Status.REQUIRED


UNSURE = {"confidence": "low", "doubts": both("not read")}


def test_low_confidence_is_a_task_for_a_lawyer_and_no_deadline() -> None:
    law = library(rule(version(**UNSURE)))
    found = duty(law, {"known": one("a")})
    assert (found.status, found.due_at, found.later) == (Status.POSSIBLE, None, ())
    assert found.guidance is not None
    assert found.guidance.at == T0 + 72 * H
    assert "a lawyer must confirm it" in found.because[-1].text.en


def test_a_person_may_turn_a_rule_of_low_confidence_on() -> None:
    law = library(rule(version(**UNSURE)))
    found = duty(law, {"known": one("a")}, turned_on=frozenset({"xx.act.report"}))
    assert (found.status, found.due_at) == (Status.REQUIRED, T0 + 72 * H)
    assert "a person decided to follow it" in found.because[-1].text.en


def test_one_stage_may_be_less_sure_than_its_version() -> None:
    law = library(rule(version(stage(confidence="low"), stage("b"))))
    found = {item.stage: item for item in duties(law, {"known": one("a")})}
    assert (found["first"].due_at, found["first"].confidence) == (None, "low")
    assert (found["b"].due_at, found["b"].confidence) == (T0 + 72 * H, "high")


# --- who receives it

TABLE = [
    {
        "place": "DE",
        "name": both("BfDI"),
        "zone": "Europe/Berlin",
        "calendar": "DE",
        "portal": "bfdi.example",
        "checked": True,
    },
    {"place": "KR", "name": both("PIPC"), "zone": "Asia/Seoul", "calendar": "KR"},
]


@pytest.mark.parametrize(
    ("entity", "people", "names", "zone"),
    [
        (
            EntityProfile("e", "E", establishments=("KR", "DE"), main_establishment="DE-HE"),
            (),
            ["BfDI"],
            "Europe/Berlin",
        ),
        (EntityProfile("e", "E", establishments=("KR", "DE")), (), ["PIPC", "BfDI"], "Asia/Seoul"),
        (EntityProfile("e", "E", establishments=("US",)), ("DE", "KR", "DE"), ["BfDI", "PIPC"], "Europe/Berlin"),
        (EntityProfile("e", "E", establishments=("US",)), ("US",), ["Authority"], "Asia/Seoul"),
        (EntityProfile("e", "E", establishments=None), (), ["Authority"], "Asia/Seoul"),
    ],
)
def test_the_office_of_the_main_establishment_else_where_people_live(
    entity: EntityProfile, people: tuple[str, ...], names: list[str], zone: str
) -> None:
    law = library(rule(offices="authorities"), **{"tables/authorities.yaml": TABLE})
    found = duty(law, {"known": one("a")}, entity=entity, people=tuple(PeopleCount(place, 3) for place in people))
    assert ([name.en for name in found.addressees], found.due_zone) == (names, zone)


def test_days_are_counted_by_the_office_that_receives_it() -> None:
    clock = {"from": "known", "within": 1, "counting": "calendar.days"}
    law = library(rule(version(stage(clock=clock)), offices="authorities"), **{"tables/authorities.yaml": TABLE})
    at = datetime(2026, 3, 2, 16, tzinfo=UTC)  # 3 March in Seoul, still 2 March in Berlin
    german = EntityProfile("e", "E", main_establishment="DE")
    assert duty(law, {"known": one("a", at)}, entity=german).due_at == datetime(2026, 3, 3, 23, tzinfo=UTC)
    assert duty(law, {"known": one("a", at)}).due_at == datetime(2026, 3, 4, 15, tzinfo=UTC)


def test_a_main_establishment_without_an_office_leaves_the_choice_to_where_people_live() -> None:
    law = library(rule(offices="authorities"), **{"tables/authorities.yaml": TABLE})
    entity = EntityProfile("e", "E", establishments=("KR", "DE"), main_establishment="US")
    people = (PeopleCount("DE", 1), PeopleCount("KR", 0))
    found = duty(law, {"known": one("a")}, entity=entity, people=people)
    assert [name.en for name in found.addressees] == ["BfDI"]


def test_a_table_may_name_a_part_of_a_country() -> None:
    table = [*TABLE, {"place": "DE-HE", "name": both("HBDI"), "zone": "Europe/Berlin", "calendar": "DE"}]
    law = library(rule(offices="authorities"), **{"tables/authorities.yaml": table})
    for place, name in (("DE-HE", "HBDI"), ("DE-BY", "BfDI")):
        found = duty(law, {"known": one("a")}, entity=EntityProfile("e", "E", main_establishment=place))
        assert [item.en for item in found.addressees] == [name]


def test_the_authority_is_told_with_how_it_is_reached() -> None:
    law = library(rule(offices="authorities"), **{"tables/authorities.yaml": TABLE})
    for facts in ({"known": one("a")}, {"known": one("a"), "bad": False}):
        (found,) = duty(law, facts, entity=EntityProfile("e", "E", main_establishment="DE")).authorities
        assert (found.name.en, found.portal, found.checked) == ("BfDI", "bfdi.example", True)


def test_a_duty_that_is_not_required_keeps_entity_zone_and_receiver() -> None:
    law = library(rule(version(applies_when=LEAVES_OPEN), offices="authorities"), **{"tables/authorities.yaml": TABLE})
    found = duty(law, {"known": one("a"), "bad": False}, entity=EntityProfile("e", "E", main_establishment="DE"))
    assert (found.entity, found.due_zone, found.concerns_entity) == ("e", "Europe/Berlin", True)
    assert ([name.en for name in found.addressees], found.trace, found.alternatives) == (["BfDI"], (), ())


def test_a_stage_may_have_a_receiver_and_contents_of_its_own() -> None:
    law = library(
        rule(version(stage(addressees=[both("Press")], contents=[both("only this")], note=both("mind")), stage("b")))
    )
    found = {item.stage: item for item in duties(law, {"known": one("a")})}
    assert [name.en for name in found["first"].addressees] == ["Press"]
    assert [text.en for text in found["first"].contents] == ["only this"]
    assert found["first"].law.note is not None
    assert [text.en for text in found["b"].contents] == ["what happened"]


# --- all together


def test_soonest_first_then_without_a_moment_then_what_does_not_apply() -> None:
    law = library(
        rule(
            version(
                stage("slow", {"from": "known", "within": 90, "counting": "strict.hours"}),
                stage("vague", {"from": "known", "standard": "immediately"}),
                stage("fast", {"from": "known", "within": 4, "counting": "strict.hours"}),
                stage("none", applies_when={"fact": "bad", "is": False}),
            )
        )
    )
    found = [item.stage for item in duties(law, {"known": one("a"), "bad": True})]
    assert found == ["fast", "slow", "vague", "none"]


def test_the_question_that_bears_on_most_duties_comes_first() -> None:
    law = library(
        rule(
            version(
                stage("a", applies_when={"fact": "bad", "is": True}),
                stage("b", applies_when={"all": [{"fact": "bad", "is": True}, {"fact": "size", "at_least": 2}]}),
                stage("c", applies_when={"all": [{"fact": "level", "is": "high"}, {"fact": "size", "at_least": 2}]}),
                stage("d", applies_when={"fact": "level", "is": "high"}),
            )
        )
    )
    found = assess_law(law, FactSheet({"known": one("a")}), EntityProfile("e", "E"), AS_OF)
    assert found.questions == ("bad", "level", "size")  # two duties each; the first two alone settle one


def test_entities_are_put_together_in_one_list() -> None:
    law = library(rule())
    parts = [
        assess_law(law, FactSheet({"known": one("a", T0 + shift * H)}), EntityProfile(key, key), AS_OF)
        for key, shift in (("x", 5), ("y", 1))
    ]
    joined = together(parts)
    assert [item.entity for item in joined.duties] == ["y", "x"]
    assert joined.to_json()["duties"][0]["entity"] == "y"
    assert joined.library_digest == law.digest


def test_everything_a_duty_says_as_json() -> None:
    found = duty(library(rule(version(doubts=both("a doubt")))), {"known": one("a", label="mail")}).to_json()
    assert found["due_at"] == "2026-03-05T14:00:00+09:00"
    assert found["starts_at"] == "2026-03-02T14:00:00+09:00"
    assert found["alternatives"][0]["label"] == "mail"
    assert found["citations"] == [
        {"provision": both("art. 1"), "url": "https://law.example/1", "checked_on": "2026-11-22"}
    ]
    assert (found["confidence"], found["doubts"], found["status"]) == ("high", both("a doubt"), "required")
    assert (found["addressees"], found["jurisdiction"], found["revision"]) == ([both("Authority")], "KR", 1)
    assert found["trace"][0]["at"] == "2026-03-02T14:00:00+09:00"


@pytest.mark.parametrize(("n", "words"), [(1, "1 hour"), (2, "2 hours")])
def test_one_is_one(n: int, words: str) -> None:
    found = duty(library(rule(version(stage(clock={"from": "known", "within": n, "counting": "strict.hours"})))))
    assert found.limit.en == words


def test_a_soft_moment_of_each_happening_counts_from_that_happening() -> None:
    soft = {"text": both("soon"), "from": "change", "within": 2, "counting": "strict.hours"}
    clock = {
        "from": "change", "within": 9, "counting": "strict.hours", "guidance": soft,
        "opens": {"from": "change", "within": 1, "counting": "strict.hours"},
        "second": {"from": "change", "within": 5, "counting": "strict.hours"}, "binding": "earliest",
    }  # fmt: skip
    law = library(rule(version(stage(clock=clock, per_event="change"))))
    found = duties(law, {"known": one("a"), "change": (Event("x", T0), Event("y", T0 + 10 * H))})
    assert [(item.guidance.at, item.opens_at, item.due_at) for item in found if item.guidance] == [
        (T0 + 2 * H, T0 + H, T0 + 5 * H),
        (T0 + 12 * H, T0 + 11 * H, T0 + 15 * H),
    ]


def test_the_end_of_another_period_is_counted_by_the_office_that_receives_it() -> None:
    days = {"from": "known", "within": 1, "counting": "calendar.days"}
    after = {"from": {"due": "first"}, "within": 1, "counting": "strict.hours"}
    law = library(rule(version(stage(clock=days), stage("b", after)), offices="t"), **{"tables/t.yaml": TABLE})
    german = EntityProfile("e", "E", main_establishment="DE")
    found = {item.stage: item.due_at for item in duties(law, {"known": one("a")}, entity=german)}
    assert (found["first"], found["b"]) == (datetime(2026, 3, 3, 23, tzinfo=UTC), datetime(2026, 3, 4, 0, tzinfo=UTC))


def test_a_newer_text_that_asks_for_another_moment_is_not_lost() -> None:
    older = version(until="2025-01-01", connects_by="told")
    newer = version(**{"from": "2025-01-01"})
    law = library(rule(older, newer))
    told_late = {"told": one("t")}  # the older text's moment lies after its end
    assert duty(law, {**told_late, "seen": one("s")}).version == "2025-01-01"
    assert duty(law, told_late).version == "2025-01-01"
    assert duties(library(rule(older)), told_late) == []


def test_days_after_a_period_that_ended_at_midnight_follow_its_last_day() -> None:
    days = {"from": "known", "within": 3, "counting": "calendar.days"}
    after = {"from": {"due": "first"}, "within": 1, "counting": "calendar.days"}
    hours = {"from": {"due": "first"}, "within": 1, "counting": "strict.hours"}
    law = library(rule(version(stage(clock=days), stage("b", after), stage("c", hours))))
    found = {item.stage: item.due_at for item in duties(law, {"known": one("a")})}
    midnight = datetime(2026, 3, 5, 15, tzinfo=UTC)  # 24:00 on the 5th in Seoul
    assert found == {"first": midnight, "b": midnight + 24 * H, "c": midnight + H}


def test_a_rule_for_others_names_every_stage_even_those_that_follow_events() -> None:
    answer = stage("answer", {"from": "change", "within": 5, "counting": "strict.hours"}, per_event="change")
    found = duties(library(rule(version(stage(), answer), who={"role": "bank"})), {"known": one("a")})
    assert [(item.stage, item.status) for item in found] == [
        ("answer", Status.NOT_REQUIRED),
        ("first", Status.NOT_REQUIRED),
    ]
