"""What the timers of one transaction need, read at once when it is first asked for, and what they write, put down at once.

Everything here belongs to locked incidents, so that nobody else changes it meanwhile. Each row is there once: what one
timer does to it, the next one sees.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import count
from typing import Any

from django.db import connection
from django.db.models import Exists, F, Max, OuterRef, Q

from compliance.models import Entity
from incidents import journal, outbox
from incidents.confidential import Circle
from incidents.machine import write_move
from incidents.models import Escalation, Evidence, Incident, Obligation, OutboxMessage, Timer
from incidents.recipients import People, Recipient, choose, people_of, watchers

# So many messages are not kept back any longer: a large company's would fill the memory.
CROWD = 2000
# A timer, by the subject that has its rungs: kind of rung, primary key, generation.
Ladder = tuple[str, int, int]


class Desk:
    """What lies before those who fire ``held``, timers of ``incidents`` (all locked, by primary key), at ``at``."""

    def __init__(self, held: Sequence[Timer], incidents: Mapping[int, Incident], *, at: datetime) -> None:
        self.held, self.at = held, at
        for timer in held:
            timer.incident = incidents[timer.incident_id]
        self.incidents = incidents
        self._chosen: dict[tuple[tuple[str, ...], int, int | None], list[Recipient]] = {}
        self._escalations: list[Escalation] = []
        self._messages: list[OutboxMessage] = []
        self._timers: list[Timer] = []
        self._changed: dict[int, Timer] = {}
        self._overdue: list[Obligation] = []
        self._noted: list[Obligation] = []
        self._expired: list[Evidence] = []

    # ---- what is read ------------------------------------------------------------------------------------------------

    @cached_property
    def duties(self) -> dict[int, Obligation]:
        """The duties that timers are about."""
        rows = self._of_incidents(Obligation.objects.filter(pk__in=self._subjects("obligation")))
        entities = Entity.objects.in_bulk({row.entity_id for row in rows.values()})
        for row in rows.values():
            row.entity = entities[row.entity_id]
        return rows

    @cached_property
    def items(self) -> dict[int, Evidence]:
        """The pieces of evidence that timers are about."""
        return self._of_incidents(Evidence.objects.filter(pk__in=self._subjects("evidence")))

    def _subjects(self, kind: str) -> set[int]:
        return {row_of(timer) for timer in self.held if timer.kind.startswith(f"{kind}.")}

    def _of_incidents(self, rows: Iterable[Any]) -> dict[int, Any]:
        found = {row.pk: row for row in rows if row.incident_id in self.incidents}
        for row in found.values():
            row.incident = self.incidents[row.incident_id]
        return found

    @cached_property
    def _entities(self) -> dict[int, list[Entity]]:
        """The entities of each incident that evidence belongs to, in order."""
        through = Incident.entities.through.objects.filter(
            incident__in={row.incident_id for row in self.items.values()}
        )
        found = defaultdict(list)
        for row in through.select_related("entity").order_by("entity"):
            found[row.incident_id].append(row.entity)
        return found

    def entities_of(self, row: Obligation | Evidence) -> Sequence[Entity]:
        """Whose people have to know about ``row``."""
        return [row.entity] if isinstance(row, Obligation) else self._entities[row.incident_id]

    @cached_property
    def _people(self) -> dict[int, People]:
        found = {row.entity_id for row in self.duties.values()} if self._subjects("obligation") else set()
        if self._subjects("evidence"):
            found |= {entity.pk for held in self._entities.values() for entity in held}
        return people_of(found, at=self.at)

    def recipients(self, roles: Sequence[str], entity: Entity, incident: Incident) -> list[Recipient]:
        """As :func:`incidents.recipients.recipients`."""
        if incident.restricted:
            people = watchers(self._people[entity.pk], incident, self._circle.named(incident))
            return choose(roles, people, owner=incident.owner_id)
        key = (tuple(roles), entity.pk, incident.owner_id)
        if key not in self._chosen:
            self._chosen[key] = choose(roles, self._people[entity.pk], owner=incident.owner_id)
        return self._chosen[key]

    @cached_property
    def _circle(self) -> Circle:
        return Circle(self.incidents.values(), at=self.at)

    @cached_property
    def _addresses(self) -> outbox.AddressBook:
        people = {member.user_id for held in self._people.values() for member in held.members}
        return outbox.AddressBook(self._people.keys(), people, self._circle)

    @cached_property
    def _rungs(self) -> dict[Ladder, list[Timer]]:
        """Of each clock and generation the pending rungs and the last of all."""
        mine = {timer.pk: timer for timer in self.held}
        found = defaultdict(list)
        for kind in ("obligation", "evidence"):
            for row in _rungs_of(f"{kind}.rung", self._subjects(kind)):
                found[(row.kind, row.subject_id, row.generation)].append(mine.get(row.pk, row))
        return found

    def rungs(self, kind: str, subject: int, generation: int) -> Sequence[Timer]:
        """The pending rungs of one clock and the last of all, those put on it meanwhile too, in order."""
        return sorted(self._rungs[(kind, subject, generation)], key=_place)

    @cached_property
    def steps(self) -> dict[int, Escalation]:
        """The steps that timers point back at, by primary key."""
        named = [timer.payload["escalation"] for timer in self.held if "escalation" in timer.payload]
        return self._of_incidents(Escalation.objects.filter(pk__in=named))

    @cached_property
    def _answers(self) -> dict[tuple[int | None, int | None], datetime]:
        subjects = Q(obligation__in=self._subjects("obligation")) | Q(evidence__in=self._subjects("evidence"))
        rows = Escalation.objects.filter(subjects, acknowledged_at__isnull=False).order_by()
        latest = rows.values_list("obligation", "evidence").annotate(latest=Max("acknowledged_at"))
        return {(obligation, evidence): at for obligation, evidence, at in latest}

    def answered_at(self, step: Escalation) -> datetime | None:
        """When somebody last acknowledged a step of the clock of ``step``."""
        return self._answers.get((step.obligation_id, step.evidence_id))

    @cached_property
    def journal(self) -> journal.Book:
        """The chains of the incidents."""
        return journal.Book(self.incidents.values())

    @cached_property
    def _numbers(self) -> Iterator[int]:
        return _reserve(len(self.held))

    # ---- what is written ---------------------------------------------------------------------------------------------

    def escalate(self, **given: Any) -> Escalation:
        """A new step, which has its number at once, since messages and timers name it."""
        if len(self._messages) >= CROWD:
            self._put_down_steps()
        row = Escalation(pk=next(self._numbers), **given)
        self._escalations.append(row)
        return row

    def post(self, letters: Iterable[outbox.Letter]) -> None:
        """Write messages."""
        for letter in letters:
            self._messages += self._addresses.copies(letter, at=self.at)

    def plan(self, timers: Iterable[Timer]) -> None:
        """Put new timers on the clock. One that is there already stays as it is."""
        for timer in timers:
            self._timers.append(timer)
            if timer.kind.endswith(".rung"):
                self._rungs[(timer.kind, timer.subject_id, timer.generation)].append(timer)

    def change(self, timer: Timer) -> None:
        """Write the payload and the moment of ``timer``, which is pending."""
        self._changed[timer.pk] = timer

    def mark(self, row: Obligation | Evidence) -> None:
        """Write that the moment of ``row`` has passed, with the move it made, if any."""
        if isinstance(row, Evidence):
            self._expired.append(row)
        else:
            (self._overdue if row.has_moved else self._noted).append(row)

    def put_down(self) -> None:
        """Write everything, each kind of row in one statement."""
        if self._overdue:
            write_move(self._overdue, overdue_at=F("due_at"))
        if self._noted:
            Obligation.objects.filter(pk__in=[row.pk for row in self._noted]).update(overdue_at=F("due_at"))
        if self._expired:
            Evidence.objects.filter(pk__in=[row.pk for row in self._expired]).update(expired_at=F("expires_at"))
        self._put_down_steps()
        if "journal" in self.__dict__:
            self.journal.put_down()
        if self._timers:
            Timer.objects.bulk_create(self._timers, ignore_conflicts=True)
        if self._changed:
            pending = Timer.objects.filter(state=Timer.State.PENDING)
            pending.bulk_update(self._changed.values(), ["payload", "attempt_at"])

    def _put_down_steps(self) -> None:
        if self._escalations:
            Escalation.objects.bulk_create(self._escalations)
        if self._messages:
            OutboxMessage.objects.bulk_create(self._messages, ignore_conflicts=True)
        self._escalations, self._messages = [], []


def row_of(timer: Timer) -> int:
    """The primary key of the duty or the piece of evidence that ``timer`` is about."""
    return int(timer.payload.get("row", timer.subject_id))


def _rungs_of(kind: str, subjects: set[int]) -> Iterable[Timer]:
    if not subjects:
        return ()
    same = Timer.objects.filter(
        kind=OuterRef("kind"), subject_id=OuterRef("subject_id"), generation=OuterRef("generation")
    )
    last = ~Exists(same.filter(due_at__gt=OuterRef("due_at")))
    return Timer.objects.filter(Q(state=Timer.State.PENDING) | last, kind=kind, subject_id__in=subjects)


def _place(timer: Timer) -> tuple[datetime, float]:
    # One that is not written yet comes last.
    return timer.due_at, timer.pk or float("inf")


def _reserve(number: int) -> Iterator[int]:
    """Primary keys of steps that nobody else will use."""
    if connection.vendor != "postgresql":
        # There one transaction writes at a time.
        return count((Escalation.objects.aggregate(last=Max("pk"))["last"] or 0) + 1)
    with connection.cursor() as cursor:
        table = Escalation._meta.db_table
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, number])
        return iter([row[0] for row in cursor.fetchall()])
