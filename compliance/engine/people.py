"""How many people of a place are affected, as far as is known: surely at least so many, possibly so many more."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from compliance.engine.types import EntityProfile, FactSheet, LocalText, PeopleCount, Truth

PEOPLE, CATEGORIES = "people.count", "people.categories"
COMPLETE = "people.places_complete"


@dataclass(frozen=True, slots=True)
class Counted:
    """At least ``least`` people; at most ``most`` (None: no limit is known). ``questions``: what would close the gap."""

    least: int
    most: int | None
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Threshold:
    """So many people: of these places (None: anywhere), of these kinds of data, with data that could be read."""

    needed: int
    place: str = ""
    places: frozenset[str] | None = None
    data: frozenset[str] | None = None
    # Every kind of data there is a word for. A kind told in other words may be any of them.
    kinds: frozenset[str] = frozenset()
    readable: bool = False

    def reached(self, counted: Counted) -> Truth:
        """Whether the number is reached."""
        if counted.least >= self.needed:
            return Truth.TRUE
        return Truth.UNKNOWN if counted.most is None or counted.most >= self.needed else Truth.FALSE

    def told(self, counted: Counted) -> tuple[Truth, LocalText, tuple[str, ...]]:
        """The same with the words and the open questions."""
        found = self.reached(counted)
        place = f" {self.place}" if self.place else ""
        if found is Truth.TRUE:
            return (
                found,
                LocalText(
                    ko=f"정보주체{place} {counted.least:,}명(기준 {self.needed:,}명 이상)",
                    en=f"{counted.least:,} people{place} (at least {self.needed:,})",
                ),
                (),
            )
        if found is Truth.UNKNOWN:
            return (
                found,
                LocalText(
                    ko=f"정보주체{place} 수: 모름(기준 {self.needed:,}명)",
                    en=f"number of people{place}: unknown (limit {self.needed:,})",
                ),
                counted.questions,
            )
        return (
            found,
            LocalText(
                ko=f"정보주체{place} {counted.most or 0:,}명(기준 {self.needed:,}명 미만)",
                en=f"{counted.most or 0:,} people{place} (below {self.needed:,})",
            ),
            (),
        )


ByCountry = Mapping[str, Sequence[PeopleCount]]


def by_country(rows: Iterable[PeopleCount]) -> ByCountry:
    """The rows by the country of residence, so that a threshold reads its own only."""
    found: dict[str, list[PeopleCount]] = {}
    for row in rows:
        found.setdefault(row.residence[:2], []).append(row)
    return found


def count_people(threshold: Threshold, rows: ByCountry, sheet: FactSheet, entity: EntityProfile) -> Counted:
    """What is known of the number that ``threshold`` asks for; ``rows`` are the sheet's, by country.

    Places with a row are taken as counted. A place without one has nobody only where the entity holds no data of people
    there, or where the list of places was declared complete.
    """
    inside, above = _split(threshold.places, rows, sheet.people)
    if not inside and above and _people_left(above):
        # A row for the whole country says that somebody there is affected, not in which part of it.
        return Counted(0, _total(above), (PEOPLE,))
    if not inside and not above and not _nobody(threshold, sheet, entity):
        return Counted(0, None, (PEOPLE,))
    least = 0
    most: int | None = 0
    questions: dict[str, None] = {}
    for row in inside:
        low, high, asked = _row(row, threshold)
        least += low
        most = None if high is None or most is None else most + high
        questions.update(dict.fromkeys(asked))
    return Counted(least, most, tuple(questions))


def _split(
    places: frozenset[str] | None, rows: ByCountry, people: Sequence[PeopleCount]
) -> tuple[Sequence[PeopleCount], list[PeopleCount]]:
    """The rows that lie in ``places``, and those of a whole country of which ``places`` names parts."""
    if places is None:
        return people, []
    inside: list[PeopleCount] = []
    above: list[PeopleCount] = []
    for country in {place[:2] for place in places}:
        for row in rows.get(country, ()):
            if country in places or row.residence in places:
                inside.append(row)
            elif row.residence == country:
                above.append(row)
    return inside, above


def _inside(residence: str, places: frozenset[str]) -> bool:
    return residence in places or residence[:2] in places


def _above(residence: str, places: frozenset[str]) -> bool:
    """Whether ``residence`` is a country of which ``places`` names a part."""
    return any(place[:2] == residence and place != residence for place in places)


def _people_left(rows: list[PeopleCount]) -> bool:
    return any(row.count is None or row.count for row in rows)


def _total(rows: list[PeopleCount]) -> int | None:
    counts = [row.count for row in rows]
    return None if None in counts else sum(count for count in counts if count is not None)


def _nobody(threshold: Threshold, sheet: FactSheet, entity: EntityProfile) -> bool:
    if sheet.people and sheet.facts.get(COMPLETE) is True:
        return True
    if threshold.places is None or entity.markets is None:
        return False
    return not any(_inside(market, threshold.places) or _above(market, threshold.places) for market in entity.markets)


def _row(row: PeopleCount, threshold: Threshold) -> tuple[int, int | None, tuple[str, ...]]:
    """Of one row: surely so many, at most so many, and what to ask."""
    if row.count == 0:
        return 0, 0, ()
    if threshold.readable and row.encrypted and row.key_taken is False:
        return 0, 0, ()
    fits = _fits(row, threshold)
    if fits is Truth.FALSE:
        return 0, 0, ()
    if row.count is None:
        return 0, None, (PEOPLE,)
    if fits is Truth.TRUE:
        return row.count, row.count, ()
    return 0, row.count, (CATEGORIES,)


def _fits(row: PeopleCount, threshold: Threshold) -> Truth:
    """Whether the row's data are of the kind. That they were encrypted must be shown: unknown leaves them readable."""
    if threshold.data is None:
        return Truth.TRUE
    if not row.categories:
        return Truth.UNKNOWN
    if not threshold.data.isdisjoint(row.categories):
        return Truth.TRUE
    return Truth.FALSE if threshold.kinds.issuperset(row.categories) else Truth.UNKNOWN
