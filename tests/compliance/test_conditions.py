"""Three values: true, false and unknown, and what is asked when it is unknown."""

from typing import Any

import pytest

from compliance.engine import EntityProfile, FactSheet, LawError, PeopleCount, Submission, Truth
from compliance.engine.conditions import Situation, Vocabulary, always, compile_condition, facts_of
from compliance.engine.strict import Node
from tests.compliance.minilaw import AS_OF, library

WORDS: Vocabulary = library().facts
NOBODY = EntityProfile("e", "E", roles=(), sectors=(), establishments=(), markets=())
UNKNOWN = EntityProfile("e", "E", roles=None, sectors=None, establishments=None, markets=None)


def asked(written: Any, facts: dict[str, Any] | None = None, entity: EntityProfile = NOBODY, **more: Any) -> Any:
    condition = compile_condition(Node(written, file="f", key="k"), WORDS)
    situation = Situation(FactSheet(facts or {}, **more), entity, "xx.act.report")
    outcome = condition(situation)
    assert outcome.truth is condition.truth(situation)  # the quick answer and the explained one never differ
    return outcome


BAD = {"fact": "bad", "is": True}
NOT_SMALL = {"fact": "size", "at_least": 5}


@pytest.mark.parametrize(
    ("written", "facts", "truth", "questions"),
    [
        (BAD, {}, Truth.UNKNOWN, ("bad",)),
        (BAD, {"bad": True}, Truth.TRUE, ()),
        (BAD, {"bad": False}, Truth.FALSE, ()),
        ({"not": BAD}, {}, Truth.UNKNOWN, ("bad",)),
        ({"not": BAD}, {"bad": True}, Truth.FALSE, ()),
        ({"not": BAD}, {"bad": False}, Truth.TRUE, ()),
        ({"all": [BAD, NOT_SMALL]}, {"bad": True}, Truth.UNKNOWN, ("size",)),
        ({"all": [BAD, NOT_SMALL]}, {}, Truth.UNKNOWN, ("bad", "size")),
        ({"all": [BAD, NOT_SMALL]}, {"size": 4}, Truth.FALSE, ()),
        ({"all": [BAD, NOT_SMALL]}, {"bad": True, "size": 5}, Truth.TRUE, ()),
        ({"any": [BAD, NOT_SMALL]}, {"bad": False}, Truth.UNKNOWN, ("size",)),
        ({"any": [BAD, NOT_SMALL]}, {"size": 9}, Truth.TRUE, ()),
        ({"any": [BAD, NOT_SMALL]}, {"bad": False, "size": 4}, Truth.FALSE, ()),
        ({"any": [BAD, BAD]}, {}, Truth.UNKNOWN, ("bad",)),
        ({"fact": "size", "at_least": 5}, {"size": 5}, Truth.TRUE, ()),
        ({"fact": "size", "at_least": 5}, {"size": 4}, Truth.FALSE, ()),
        ({"fact": "size", "more_than": 5}, {"size": 5}, Truth.FALSE, ()),
        ({"fact": "size", "more_than": 5}, {"size": 6}, Truth.TRUE, ()),
        ({"fact": "size", "at_most": 5}, {"size": 5}, Truth.TRUE, ()),
        ({"fact": "size", "at_most": 5}, {"size": 6}, Truth.FALSE, ()),
        ({"fact": "size", "below": 5}, {"size": 5}, Truth.FALSE, ()),
        ({"fact": "size", "below": 5}, {"size": 4}, Truth.TRUE, ()),
        ({"fact": "level", "is": "high"}, {"level": "high"}, Truth.TRUE, ()),
        ({"fact": "level", "is": "high"}, {"level": "low"}, Truth.FALSE, ()),
        ({"fact": "level", "has_any": ["low", "high"]}, {"level": "low"}, Truth.TRUE, ()),
        ({"fact": "kinds", "has": "theft"}, {"kinds": ("loss", "theft")}, Truth.TRUE, ()),
        ({"fact": "kinds", "has": "theft"}, {"kinds": ("loss",)}, Truth.FALSE, ()),
        ({"fact": "kinds", "has_any": ["theft", "loss"]}, {"kinds": ("loss",)}, Truth.TRUE, ()),
        ({"known": "seen"}, {}, Truth.FALSE, ()),
        ({"known": "seen"}, {"seen": ()}, Truth.FALSE, ()),
        ({"known": "ended"}, {"ended": AS_OF}, Truth.TRUE, ()),
        ("always", {}, Truth.TRUE, ()),
    ],
)
def test_kleene(written: Any, facts: dict[str, Any], truth: Truth, questions: tuple[str, ...]) -> None:
    outcome = asked(written, facts)
    assert (outcome.truth, outcome.questions) == (truth, questions)


def told(
    written: Any, facts: dict[str, Any] | None = None, **more: Any
) -> list[tuple[str, str, Truth, tuple[str, ...]]]:
    reasons = asked(written, facts, **more).reasons
    return [(item.text.ko, item.text.en, item.outcome, item.facts) for item in reasons]


@pytest.mark.parametrize(
    ("written", "facts", "ko", "en", "outcome", "fact"),
    [
        (BAD, {}, "bool (ko): 모름", "bool: unknown", Truth.UNKNOWN, "bad"),
        (BAD, {"bad": True}, "bool (ko): 예", "bool: yes", Truth.TRUE, "bad"),
        (BAD, {"bad": False}, "bool (ko): 아니요", "bool: no", Truth.FALSE, "bad"),
        # What is told is the answer, not whether it is the one wanted.
        ({"fact": "bad", "is": False}, {"bad": False}, "bool (ko): 아니요", "bool: no", Truth.FALSE, "bad"),
        ({"fact": "bad", "is": False}, {"bad": True}, "bool (ko): 예", "bool: yes", Truth.TRUE, "bad"),
        (NOT_SMALL, {"size": 1000}, "integer (ko): 1,000 h", "integer: 1,000 h", Truth.TRUE, "size"),
        (NOT_SMALL, {"size": 1}, "integer (ko): 1 h", "integer: 1 h", Truth.FALSE, "size"),
        (
            {"fact": "level", "is": "high"},
            {"level": "high"},
            "choice (ko): high (ko)",
            "choice: high",
            Truth.TRUE,
            "level",
        ),
        ({"fact": "level", "is": "high"}, {"level": "gone"}, "choice (ko): gone", "choice: gone", Truth.FALSE, "level"),
        (
            {"fact": "kinds", "has": "theft"},
            {"kinds": ("loss", "theft")},
            "choices (ko): loss (ko), theft (ko)",
            "choices: loss, theft",
            Truth.TRUE,
            "kinds",
        ),
        (
            {"known": "seen"},
            {},
            "contested_instant (ko): 기록 없음",
            "contested_instant: not recorded",
            Truth.FALSE,
            "seen",
        ),
        ({"known": "ended"}, {"ended": AS_OF}, "instant (ko): 기록됨", "instant: recorded", Truth.TRUE, "ended"),
    ],
)
def test_a_reason_tells_fact_and_answer_in_both_languages(
    written: Any, facts: dict[str, Any], ko: str, en: str, outcome: Truth, fact: str
) -> None:
    assert told(written, facts) == [(ko, en, outcome, (fact,))]


@pytest.mark.parametrize(
    ("written", "entity", "ko", "en", "outcome", "fact"),
    [
        ({"role": "bank"}, EntityProfile("e", "E", roles=("bank",)), "지위 bank (ko): 예", "role bank: yes", Truth.TRUE, "entity.roles"),
        ({"role": "bank"}, UNKNOWN, "지위 bank (ko): 모름", "role bank: unknown", Truth.UNKNOWN, "entity.roles"),
        ({"sector": "energy"}, NOBODY, "업종 energy (ko): 아니요", "sector energy: no", Truth.FALSE, "entity.sectors"),
        ({"established_in": "EU"}, NOBODY, "사업장 EU: 아니요", "established in EU: no", Truth.FALSE, "entity.establishments"),
        ({"main_establishment_in": "DE"}, NOBODY, "주된 사업장 DE: 아니요", "main establishment in DE: no", Truth.FALSE, "entity.establishments"),
        ({"market": "US"}, NOBODY, "이용자가 있는 곳 US: 아니요", "holds data of people in US: no", Truth.FALSE, "entity.markets"),
    ],
)  # fmt: skip
def test_a_reason_tells_what_the_entity_is(
    written: Any, entity: EntityProfile, ko: str, en: str, outcome: Truth, fact: str
) -> None:
    assert told(written, entity=entity) == [(ko, en, outcome, (fact,))]


def test_a_reason_tells_whether_an_earlier_stage_was_done() -> None:
    done = (Submission("xx.act.report", "first", "", AS_OF),)
    assert told({"submitted": "first"}, submissions=done) == [
        ("앞 단계(first) 신고ㆍ통지: 함", "earlier stage (first): done", Truth.TRUE, ())
    ]
    assert told({"submitted": "first"}) == [
        ("앞 단계(first) 신고ㆍ통지: 하지 않음", "earlier stage (first): not done", Truth.FALSE, ())
    ]


def test_reasons_are_those_that_decided() -> None:
    decided = asked({"all": [BAD, NOT_SMALL]}, {"bad": False, "size": 9})
    assert [reason.text.en for reason in decided.reasons] == ["bool: no"]
    held = asked({"all": [BAD, NOT_SMALL]}, {"bad": True, "size": 9000})
    assert [(reason.text.en, reason.outcome) for reason in held.reasons] == [
        ("bool: yes", Truth.TRUE),
        ("integer: 9,000 h", Truth.TRUE),
    ]
    assert held.reasons[0].text.ko == "bool (ko): 예"
    assert held.reasons[1].facts == ("size",)


def test_an_unknown_says_so_in_both_languages() -> None:
    reason = asked(BAD).reasons[0]
    assert (reason.text.ko, reason.text.en, reason.outcome) == ("bool (ko): 모름", "bool: unknown", Truth.UNKNOWN)


def test_a_choice_is_told_by_its_label() -> None:
    assert asked({"fact": "level", "is": "high"}, {"level": "low"}).reasons[0].text.en == "choice: low"
    told = asked({"fact": "kinds", "has": "theft"}, {"kinds": ("theft", "loss")}).reasons[0]
    assert told.text.ko == "choices (ko): theft (ko), loss (ko)"


def test_a_known_fact_is_told_as_recorded() -> None:
    told = asked({"known": "ended"}, {"ended": AS_OF}).reasons[0]
    assert (told.text.en, told.facts) == ("instant: recorded", ("ended",))
    assert asked({"known": "ended"}).reasons[0].text.ko == "instant (ko): 기록 없음"


@pytest.mark.parametrize(
    ("written", "entity", "truth"),
    [
        ({"role": "bank"}, EntityProfile("e", "E", roles=("bank",)), Truth.TRUE),
        ({"role": "bank"}, EntityProfile("e", "E", roles=("shop",)), Truth.FALSE),
        ({"role": "bank"}, UNKNOWN, Truth.UNKNOWN),
        ({"sector": "energy"}, EntityProfile("e", "E", sectors=("energy",)), Truth.TRUE),
        ({"sector": "energy"}, UNKNOWN, Truth.UNKNOWN),
        ({"established_in": "EU"}, EntityProfile("e", "E", establishments=("DE-HE",)), Truth.TRUE),
        ({"established_in": "EU"}, EntityProfile("e", "E", establishments=("KR",)), Truth.FALSE),
        ({"established_in": "DE-HE"}, EntityProfile("e", "E", establishments=("DE",)), Truth.UNKNOWN),
        ({"established_in": "DE-HE"}, EntityProfile("e", "E", establishments=("DE-BY",)), Truth.FALSE),
        ({"established_in": "DE"}, UNKNOWN, Truth.UNKNOWN),
        ({"main_establishment_in": "DE"}, EntityProfile("e", "E", main_establishment="DE"), Truth.TRUE),
        ({"main_establishment_in": "DE"}, EntityProfile("e", "E", establishments=("DE",)), Truth.FALSE),
        ({"main_establishment_in": "DE"}, UNKNOWN, Truth.UNKNOWN),
        ({"market": "STATES"}, EntityProfile("e", "E", markets=("US",)), Truth.UNKNOWN),
        ({"market": "STATES"}, EntityProfile("e", "E", markets=("US-NY",)), Truth.TRUE),
        ({"market": "US"}, EntityProfile("e", "E", markets=("US-NY",)), Truth.TRUE),
        ({"market": "US"}, EntityProfile("e", "E", markets=("KR",)), Truth.FALSE),
        ({"market": "US"}, UNKNOWN, Truth.UNKNOWN),
    ],
)
def test_the_profile_of_the_entity(written: Any, entity: EntityProfile, truth: Truth) -> None:
    outcome = asked(written, entity=entity)
    assert outcome.truth is truth
    assert bool(outcome.questions) == (truth is Truth.UNKNOWN)


def test_the_profile_asks_for_itself_and_says_what_it_found() -> None:
    outcome = asked({"role": "bank"}, entity=UNKNOWN)
    assert outcome.questions == ("entity.roles",)
    assert outcome.reasons[0].text.en == "role bank: unknown"
    assert asked({"market": "US"}, entity=UNKNOWN).questions == ("entity.markets",)
    assert asked({"established_in": "US"}, entity=UNKNOWN).questions == ("entity.establishments",)
    assert asked({"sector": "energy"}).reasons[0].text.ko == "업종 energy (ko): 아니요"


@pytest.mark.parametrize(
    ("entity", "people", "truth"),
    [
        (UNKNOWN, (), Truth.TRUE),
        (EntityProfile("e", "E", establishments=("US",), markets=None), (), Truth.TRUE),
        (EntityProfile("e", "E", establishments=("US",), markets=("US",)), (), Truth.FALSE),
        (EntityProfile("e", "E", establishments=("US",), markets=("KR",)), (), Truth.TRUE),
        (EntityProfile("e", "E", establishments=("KR",), markets=()), (), Truth.TRUE),
        (EntityProfile("e", "E", establishments=("US",), markets=("US",)), (PeopleCount("KR", 1),), Truth.TRUE),
        (EntityProfile("e", "E", establishments=("US",), markets=("US",)), (PeopleCount("KR", 0),), Truth.FALSE),
    ],
)
def test_a_law_may_reach_everybody_not_known_to_be_elsewhere(
    entity: EntityProfile, people: tuple[PeopleCount, ...], truth: Truth
) -> None:
    outcome = asked({"may_reach": "KR"}, entity=entity, people=people)
    assert (outcome.truth, outcome.questions) == (truth, ())


def test_whether_a_law_may_reach_is_told() -> None:
    assert told({"may_reach": "KR"}, entity=UNKNOWN) == [
        (
            "KR 법의 적용 범위에서 벗어났다고 볼 근거 없음",
            "not known to be outside KR",
            Truth.TRUE,
            ("entity.establishments",),
        )
    ]
    elsewhere = EntityProfile("e", "E", establishments=("US",), markets=("US",))
    assert told({"may_reach": "KR"}, entity=elsewhere) == [
        (
            "KR에 사업장도 정보주체도 없음",
            "neither established in KR nor data of people there",
            Truth.FALSE,
            ("entity.establishments",),
        )
    ]


def test_a_law_of_a_country_or_group_reaches_its_parts() -> None:
    californian = EntityProfile("e", "E", establishments=("US-CA",), markets=())
    assert asked({"may_reach": "US"}, entity=californian).truth is Truth.TRUE
    assert asked({"may_reach": "STATES"}, entity=californian).truth is Truth.TRUE
    assert asked({"may_reach": "EU"}, entity=californian).truth is Truth.FALSE


def test_an_earlier_stage_counts_for_its_own_rule_or_the_named_one() -> None:
    done = (Submission("xx.act.report", "first", "", AS_OF),)
    assert asked({"submitted": "first"}, submissions=done).truth is Truth.TRUE
    assert asked({"submitted": "second"}, submissions=done).truth is Truth.FALSE
    assert asked({"submitted": "first", "rule": "xx.other"}, submissions=done).truth is Truth.FALSE
    assert asked({"submitted": "first", "rule": "xx.act.report"}, submissions=done).reasons[0].text.en == (
        "earlier stage (first): done"
    )


AT_LEAST_10 = {"people": {"at_least": 10}}


@pytest.mark.parametrize(
    ("limit", "people", "truth"),
    [
        ({"at_least": 10}, [("KR", 10)], Truth.TRUE),
        ({"at_least": 10}, [("KR", 9)], Truth.FALSE),
        ({"more_than": 10}, [("KR", 10)], Truth.FALSE),
        ({"more_than": 10}, [("KR", 11)], Truth.TRUE),
        ({"at_least": 10}, [("KR", 5), ("US", 5)], Truth.TRUE),
        ({"at_least": 10}, [("KR", None)], Truth.UNKNOWN),
        ({"at_least": 10}, [("KR", None), ("US", 10)], Truth.TRUE),
        ({"at_least": 10}, [], Truth.UNKNOWN),
        ({"at_least": 10, "in": "KR"}, [("KR", 10), ("US", 10)], Truth.TRUE),
        ({"at_least": 11, "in": "KR"}, [("KR", 10), ("US", 10)], Truth.FALSE),
        ({"at_least": 20, "in": "STATES"}, [("US-CA", 10), ("US-NY", 10)], Truth.TRUE),
        ({"at_least": 10, "in": "US"}, [("US-CA", 10)], Truth.TRUE),
        ({"at_least": 1, "in": "US-CA"}, [("US", 10)], Truth.UNKNOWN),
        ({"at_least": 11, "in": "US-CA"}, [("US", 10)], Truth.FALSE),
        ({"at_least": 1, "in": "US-CA"}, [("US", 0)], Truth.FALSE),
        ({"at_least": 11, "in": "US-CA"}, [("US", None)], Truth.UNKNOWN),
        ({"at_least": 1, "in": "US-CA"}, [("US-NY", 10)], Truth.FALSE),
    ],
)
def test_thresholds_of_people(limit: dict[str, Any], people: list[tuple[str, int | None]], truth: Truth) -> None:
    rows = tuple(PeopleCount(place, count) for place, count in people)
    entity = NOBODY if people else UNKNOWN
    outcome = asked({"people": limit}, people=rows, entity=entity)
    assert outcome.truth is truth
    assert outcome.questions == (("people.count",) if truth is Truth.UNKNOWN else ())


def test_nobody_lives_where_the_entity_holds_no_data_of_people() -> None:
    here = {"people": {"at_least": 1, "in": "US-CA"}}
    assert asked(here, entity=EntityProfile("e", "E", markets=("KR",))).truth is Truth.FALSE
    assert asked(here, entity=EntityProfile("e", "E", markets=("US",))).truth is Truth.UNKNOWN
    assert asked(here, entity=EntityProfile("e", "E", markets=("US-CA",))).truth is Truth.UNKNOWN
    assert asked(here, entity=UNKNOWN).truth is Truth.UNKNOWN


def test_a_market_in_a_part_of_the_country_may_have_people_of_the_country() -> None:
    here = {"people": {"at_least": 1, "in": "US"}}
    assert asked(here, entity=EntityProfile("e", "E", markets=("US-CA",))).truth is Truth.UNKNOWN
    assert asked(here, entity=EntityProfile("e", "E", markets=("KR",))).truth is Truth.FALSE


def test_a_complete_list_of_places_leaves_nobody_out() -> None:
    here = {"people": {"at_least": 1, "in": "US-CA"}}
    rows = (PeopleCount("KR", 5),)
    assert asked(here, people=rows, entity=UNKNOWN).truth is Truth.UNKNOWN
    assert asked(here, {"people.places_complete": True}, people=rows, entity=UNKNOWN).truth is Truth.FALSE
    assert asked(here, {"people.places_complete": False}, people=rows, entity=UNKNOWN).truth is Truth.UNKNOWN
    assert asked(here, {"people.places_complete": True}, entity=UNKNOWN).truth is Truth.UNKNOWN


@pytest.mark.parametrize(
    ("categories", "truth", "questions"),
    [
        (("ssn",), Truth.TRUE, ()),
        (("name", "medical"), Truth.TRUE, ()),
        (("name",), Truth.FALSE, ()),
        ((), Truth.UNKNOWN, ("people.categories",)),
        (("shoe size",), Truth.UNKNOWN, ("people.categories",)),
    ],
)
def test_kinds_of_data(categories: tuple[str, ...], truth: Truth, questions: tuple[str, ...]) -> None:
    limit = {"people": {"at_least": 1, "data": ["ssn", "medical"]}}
    outcome = asked(limit, people=(PeopleCount("KR", 5, categories),))
    assert (outcome.truth, outcome.questions) == (truth, questions)


@pytest.mark.parametrize(
    ("encrypted", "key_taken", "truth"),
    [
        (None, None, Truth.TRUE),
        (False, None, Truth.TRUE),
        (True, None, Truth.TRUE),  # that the key is safe must be shown
        (True, True, Truth.TRUE),
        (True, False, Truth.FALSE),
    ],
)
def test_encrypted_data_counts_until_the_key_is_known_to_be_safe(
    encrypted: bool | None, key_taken: bool | None, truth: Truth
) -> None:
    rows = (PeopleCount("KR", 5, (), encrypted, key_taken),)
    assert asked({"people": {"at_least": 1, "readable": True}}, people=rows).truth is truth
    assert asked({"people": {"at_least": 1}}, people=rows).truth is Truth.TRUE


def test_numbers_of_people_are_told_with_their_limit() -> None:
    rows = (PeopleCount("KR", 12_000),)
    assert asked({"people": {"more_than": 999}}, people=rows).reasons[0].text.en == "12,000 people (at least 1,000)"
    below = asked({"people": {"at_least": 20_000, "in": "KR"}}, people=rows).reasons[0]
    assert below.text.ko == "정보주체 KR 12,000명(기준 20,000명 미만)"
    unknown = asked({"people": {"at_least": 3}}, entity=UNKNOWN).reasons[0]
    assert unknown.text.en == "number of people: unknown (limit 3)"


@pytest.mark.parametrize(
    ("limit", "rows", "ko", "en", "outcome"),
    [
        ({"at_least": 10}, (PeopleCount("KR", 1000),), "정보주체 1,000명(기준 10명 이상)", "1,000 people (at least 10)", Truth.TRUE),
        ({"at_least": 10, "in": "KR"}, (PeopleCount("KR", 10),), "정보주체 KR 10명(기준 10명 이상)", "10 people KR (at least 10)", Truth.TRUE),
        ({"at_least": 1000}, (PeopleCount("KR", None),), "정보주체 수: 모름(기준 1,000명)", "number of people: unknown (limit 1,000)", Truth.UNKNOWN),
        ({"at_least": 10, "in": "KR"}, (PeopleCount("KR", 9),), "정보주체 KR 9명(기준 10명 미만)", "9 people KR (below 10)", Truth.FALSE),
        ({"at_least": 10}, (PeopleCount("KR", 0),), "정보주체 0명(기준 10명 미만)", "0 people (below 10)", Truth.FALSE),
    ],
)  # fmt: skip
def test_a_number_of_people_is_told_in_both_languages(
    limit: dict[str, Any], rows: tuple[PeopleCount, ...], ko: str, en: str, outcome: Truth
) -> None:
    assert told({"people": limit}, people=rows) == [(ko, en, outcome, ("people.count",))]


@pytest.mark.parametrize(
    ("least", "count", "categories", "truth"),
    [
        (5, 5, (), Truth.UNKNOWN),  # all five may be of the kind
        (6, 5, (), Truth.FALSE),  # even all of them are too few
        (1, 0, (), Truth.FALSE),
        (1, 1, ("ssn",), Truth.TRUE),
        (2, 1, ("ssn",), Truth.FALSE),
        (1, None, ("ssn",), Truth.UNKNOWN),
        (1, None, ("name",), Truth.FALSE),
    ],
)
def test_people_whose_kind_of_data_is_unknown_may_all_be_of_that_kind(
    least: int, count: int | None, categories: tuple[str, ...], truth: Truth
) -> None:
    limit = {"people": {"at_least": least, "data": ["ssn"]}}
    assert asked(limit, people=(PeopleCount("KR", count, categories),)).truth is truth


def test_a_row_of_the_part_counts_before_one_of_the_whole_country() -> None:
    here = {"people": {"at_least": 5, "in": "US-CA"}}
    assert asked(here, people=(PeopleCount("US-CA", 3), PeopleCount("US", 100))).truth is Truth.FALSE
    assert asked(here, people=(PeopleCount("US", 0),)).truth is Truth.FALSE


def test_the_facts_a_condition_asks_for() -> None:
    written = {"all": [BAD, {"any": [{"known": "seen"}, {"not": AT_LEAST_10}]}, {"role": "bank"}, {"market": "US"}]}
    found = facts_of(Node(written, file="f", key="k"))
    assert found == {"bad", "seen", "people.count", "entity.roles", "entity.markets"}
    assert facts_of(Node("always", file="f", key="k")) == set()
    assert always.truth(Situation(FactSheet(), NOBODY)) is Truth.TRUE


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({}, "f: k: expected a condition: always, or one of all, any, established_in, fact, known, main_establishment_in, market, may_reach, not, people, role, sector, submitted"),
        ({"al": []}, "f: k.al: unknown condition; expected one of all, any, established_in, fact, known, main_establishment_in, market, may_reach, not, people, role, sector, submitted"),
        ({"all": []}, "f: k.all: expected a list of at least 1"),
        ({"fact": "bad"}, "f: k: expected exactly one of is, has, has_any, at_least, more_than, at_most, below beside fact"),
        ({"fact": "bad", "at_least": 3}, "f: k.at_least: bad is of type bool; expected a fact of type integer"),
        ({"fact": "size", "is": 3}, "f: k.is: size is of type integer; expected a fact of type bool or choice"),
        ({"fact": "size", "at_least": 3, "below": 9}, "f: k: expected exactly one of is, has, has_any, at_least, more_than, at_most, below beside fact"),
        ({"fact": "level", "is": "middle"}, "f: k.is: 'middle': expected one of high, low"),
        ({"fact": "nothing", "is": True}, "f: k.fact: nothing: expected a fact of facts.yaml"),
        ({"role": "baker"}, "f: k.role: 'baker': expected one of bank, shop"),
        ({"market": "Europe"}, "f: k.market: Europe: expected a place such as KR or US-CA, or a group of places (EU, STATES)"),
        ({"people": {"in": "KR"}}, "f: k.people: expected one of at_least, more_than"),
        ({"people": {"at_least": 1, "more_than": 1}}, "f: k.people: expected one of at_least, more_than"),
        ({"people": {"at_least": 1, "data": ["shoes"]}}, "f: k.people.data[0]: 'shoes': expected one of medical, name, ssn"),
        ({"people": {"at_least": "many"}}, "f: k.people.at_least: 'many': expected a whole number of at least 0"),
    ],
)  # fmt: skip
def test_a_condition_that_is_wrong_says_where(written: Any, message: str) -> None:
    with pytest.raises(ValueError) as refused:
        compile_condition(Node(written, file="f", key="k"), WORDS)
    assert str(refused.value) == message


def test_a_condition_on_the_entity_needs_its_word_in_the_vocabulary() -> None:
    with pytest.raises(LawError, match=r"^f: k\.role: expected entity\.roles in facts\.yaml$"):
        compile_condition(Node({"role": "bank"}, file="f", key="k"), {})
    with pytest.raises(LawError, match=r"^f: k\.role: 'king': expected one of bank, shop$"):
        compile_condition(Node({"role": "king"}, file="f", key="k"), WORDS)


def test_people_may_be_counted_before_any_condition_is_asked() -> None:
    rows = {"KR": [PeopleCount("KR", 50)]}
    condition = compile_condition(Node({"people": {"at_least": 10, "in": "KR"}}, file="f", key="k"), WORDS)
    assert condition.truth(Situation(FactSheet(), NOBODY, people=rows)) is Truth.TRUE
