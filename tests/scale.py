"""A house with many incidents, written quickly: real duties worked out once by the real services, then copied with other times.

For measuring and for counting queries. States are written past their tables of moves here, which nothing in the product may.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from compliance.models import Entity, Role
from tests.factories import Company, make_company, make_entity, make_incident, make_user

BATCH = 2000
OWNERS = ("김하늘", "이서준", "박도윤", "최지우", "정하은", "강민준", "M. Weber", "A. Novak", "S. Rossi", "J. Murphy")
TITLES = (
    "서버 악성코드",
    "무단 소액결제",
    "개인정보 유출 의심",
    "결제 장애",
    "Web shell on the portal",
    "Lost laptop",
    "Phishing wave",
)
# How many of a hundred duties stand where.
STAGES = (("met", 52), ("met_late", 5), ("not_required", 8), ("overdue", 4), ("near", 4), ("running", 12), ("possible", 10),
          ("open_now", 5))  # fmt: skip


@dataclass
class House:
    """What was made: the people, a second entity, and the incident worked out by the services (``first``)."""

    company: Company
    second: Entity
    first: Any
    owners: list[User] = field(default_factory=list)


def fill(incidents: int = 10_000, duties: int = 4, *, now: datetime, seed: int = 1) -> House:
    """``incidents`` incidents with ``duties`` duties each, as they might stand at ``now`` (aware). The same seed gives the
    same rows."""
    house = _house(now)
    chance = random.Random(seed)
    patterns = _patterns(house)
    for numbers in batched(range(incidents), BATCH):
        _write(house, [*numbers], patterns, duties, chance, now=now)
    return house


def _house(now: datetime) -> House:
    company = make_company()
    second = make_entity(
        "hanbit-eu",
        name="Hanbit Europe GmbH",
        zone="Europe/Berlin",
        establishments=["DE"],
        markets=["DE", "FR"],
        roles=["controller"],
        sectors=["finance"],
    )
    for user in (company.manager, company.counsel, company.auditor):
        second.memberships.create(user=user, role=Role.MANAGER)
    at = now - timedelta(hours=30)
    first = make_incident(company, at=at, code="2026-first", leak_suspected_at=at)
    make_incident(company, at=at, code="2026-second", entities=[second], by=company.manager, leak_suspected_at=at)
    owners = [make_user(f"handler{number}", company.entity, Role.OWNER) for number, _name in enumerate(OWNERS)]
    for user, name in zip(owners, OWNERS, strict=True):
        user.first_name = name
        user.save(update_fields=["first_name"])
    return House(company, second, first, owners)


def _patterns(house: House) -> dict[int, list[Any]]:
    """The duties that the services worked out, by entity: those with a moment first."""
    from incidents.models import Obligation

    found = {}
    for entity in (house.company.entity, house.second):
        rows = list(Obligation.objects.filter(entity=entity).order_by("rule", "stage"))
        found[entity.pk] = sorted(rows, key=lambda row: row.due_at is None)
    return found


def _write(
    house: House, numbers: list[int], patterns: Any, duties: int, chance: random.Random, *, now: datetime
) -> None:
    from incidents.models import Incident, Obligation

    made = [_incident(house, number, chance, now=now) for number in numbers]
    QuerySet(Incident).bulk_create(made)
    entities = [house.second if chance.random() < 0.25 else house.company.entity for _row in made]
    through = Incident.entities.through
    through.objects.bulk_create(
        [through(incident=row, entity=entity) for row, entity in zip(made, entities, strict=True)]
    )
    rows = [
        _duty(incident, patterns[entity.pk], place, chance, now=now)
        for incident, entity in zip(made, entities, strict=True)
        for place in range(duties)
    ]
    QuerySet(Obligation).bulk_create(rows)
    _tell(house, [row for row in rows if row.state in ("overdue", "running") and row.due_at], chance, now=now)


def _incident(house: House, number: int, chance: random.Random, *, now: datetime) -> Any:
    from incidents.models import Incident

    kind = "drill" if chance.random() < 0.03 else "real"
    return Incident(
        code=f"S-{number:06d}",
        title=chance.choice(TITLES),
        kind=kind,
        state=chance.choice(("reported", "assessing", "confirmed", "confirmed", "closed")),
        owner=chance.choice([*house.owners, None]),
        reported_by=house.company.reporter,
        reported_at=now - timedelta(hours=chance.uniform(1, 24 * 360)),
        law_digest=house.first.law_digest,
        law_at=house.first.law_at,
    )


def _duty(incident: Any, patterns: list[Any], place: int, chance: random.Random, *, now: datetime) -> Any:
    from incidents.models import Obligation

    pattern = patterns[place % len(patterns)]
    stage = chance.choices([name for name, _ in STAGES], [weight for _, weight in STAGES])[0]
    period = timedelta(hours=chance.choice((24, 24, 72, 72, 72, 720)))
    values = {
        item.attname: getattr(pattern, item.attname)
        for item in pattern._meta.concrete_fields
        if item.attname != "id" and not item.generated
    }
    values |= {"incident_id": incident.pk, "occurrence": f"scale:{place}", "opened_at": incident.reported_at}
    values |= _times(stage, period, chance, now=now)
    row = Obligation(**values)
    row.incident = incident
    return row


def _times(stage: str, period: timedelta, chance: random.Random, *, now: datetime) -> dict[str, Any]:
    """State, start, due moment and moment of meeting that fit together."""
    if stage in ("met", "met_late"):
        due = now - timedelta(hours=chance.uniform(2000 if stage == "met_late" else 1, 24 * 355))
        share = chance.uniform(0.1, 1) if stage == "met" else chance.uniform(1.01, 1.8)
        return {"state": stage, "starts_at": due - period, "due_at": due, "met_at": due - period + period * share}
    if stage == "open_now":
        target = now + timedelta(hours=chance.uniform(-48, 120))
        return {"state": "running", "due_at": None, "target_at": target, "starts_at": now - period}
    left = {
        "overdue": -chance.expovariate(1 / 60) - 0.1, "near": chance.uniform(0.1, 23.9), "possible": chance.uniform(1, 400),
    }.get(stage, chance.uniform(24.1, 700))  # fmt: skip
    due = now + timedelta(hours=left)
    state = {"near": "running"}.get(stage, stage)
    reason = "담당자가 기한을 잘못 계산함" if stage == "overdue" and chance.random() < 0.4 else ""
    return {"state": state, "due_at": due, "starts_at": due - period, "late_reason": reason}


def _tell(house: House, rows: list[Any], chance: random.Random, *, now: datetime) -> None:
    """One step of a ladder for each of these duties, told to two people, half of them acknowledged."""
    from incidents.models import Escalation, OutboxMessage, Timer

    moments = [min(now, row.due_at) - timedelta(hours=1) for row in rows]
    timers = Timer.objects.bulk_create(
        Timer(
            incident=row.incident, kind="obligation.rung", subject_id=row.pk, key="half", generation=1, due_at=at, attempt_at=at,
            state="fired", fired_at=at, created_at=at,
        )
        for row, at in zip(rows, moments, strict=True)
    )  # fmt: skip
    steps = []
    for row, timer, at in zip(rows, timers, moments, strict=True):
        heard = chance.random() < 0.5
        steps.append(
            Escalation(
                incident=row.incident,
                timer=timer,
                obligation=row,
                rung="half",
                kind="notify",
                roles=["owner"],
                at=at,
                fired_at=at,
                acknowledged_at=at if heard else None,
                acknowledged_by=house.company.owner if heard else None,
            )
        )
    Escalation.objects.bulk_create(steps)
    OutboxMessage.objects.bulk_create(
        OutboxMessage(
            incident=step.incident, escalation=step, recipient=person, address=person.email, subject="-", body="-",
            dedupe=f"scale:{step.pk}:{person.pk}", message_id=f"scale-{step.pk}-{person.pk}", state="sent", attempt_at=step.at,
            sent_at=step.at, created_at=step.at,
        )
        for step in steps
        for person in (house.company.owner, house.company.counsel)
    )  # fmt: skip


MOMENT = datetime(2026, 11, 20, 3, tzinfo=UTC)
