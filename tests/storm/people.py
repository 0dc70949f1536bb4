"""What people do meanwhile: awareness times that move deadlines, new facts, counts, drafts, documents and filings, evidence."""

import errno
import random
import time
from datetime import datetime, timedelta
from typing import Any

from tests.storm.machines import Storm
from tests.storm.options import DEEDS, SPEED, START, Options, plan

# Bytes of the greatest document.
DOCUMENT = 60_000


def fill(options: Options, hook: str) -> Any:
    """The company, its webhook, and its incidents, made before the hour begins. Every third one is left alone by everybody."""
    from incidents import channels, services
    from incidents.channels import endpoints
    from tests.factories import make_company, make_incident

    company = make_company()
    endpoints.endpoint_add(
        entity=company.entity,
        role="ciso",
        kind=channels.WEBHOOK,
        label="on call",
        target=hook,
        at=START,
        by=company.manager,
    )
    chance = random.Random(f"{options.seed}:incidents")
    length = SPEED * options.seconds / 60
    for number in range(options.incidents):
        known = START + timedelta(minutes=length * chance.random()) - timedelta(hours=24)
        incident = make_incident(
            company, at=known + timedelta(minutes=chance.uniform(1, 30)), known_at=known,
            personal_data=False if number % 2 else None, leak_suspected_at=None if number % 2 else known,
        )  # fmt: skip
        for _ in range(6):
            services.evidence_add(
                incident=incident, title="log", by=company.owner,
                at=START + timedelta(minutes=length * chance.uniform(-0.3, 0.3)),
                expires_at=START + timedelta(minutes=length * chance.uniform(0.35, 1)),
            )  # fmt: skip
    return company


def live(storm: Storm, company: Any, pks: list[int], part: int) -> None:
    """One person at work until the hour is over. A database that is gone is met as a user meets it: try the next thing."""
    from django.db import Error, connection

    from compliance import clock
    from compliance.errors import Refused

    begun = time.monotonic()
    count = int(storm.options.seconds * 2.5)
    for when, name, chance in plan(storm.options, DEEDS, count, f"deeds {part}"):
        while time.monotonic() - begun < when * storm.options.seconds:
            time.sleep(0.02)
        # Whoever was held up by a database that was gone does nothing more after the hour.
        if clock.now() >= storm.options.end:
            break
        try:
            deed = _deed(name, company, pks[int(chance * len(pks))], random.Random(chance))
            storm.deeds[name if deed else "nothing to do"] += 1
        except Refused:
            storm.deeds["refused, as it should be"] += 1
        except OSError as error:
            if error.errno != errno.ENOSPC:
                storm.broken.append(f"{name}: {type(error).__name__}: {error}")
            storm.deeds["no room on the disk, and said so"] += 1
        except Error as error:
            storm.deeds["database gone" if not _deadlock(error) else "DEADLOCK"] += 1
            connection.close()
        except Exception as error:
            storm.broken.append(f"{name}: {type(error).__name__}: {error}")
    connection.close()


def _deadlock(error: Exception) -> bool:
    return getattr(error.__cause__, "sqlstate", "") == "40P01"


def _deed(name: str, company: Any, pk: int, chance: random.Random) -> bool:
    from compliance import clock
    from incidents import services
    from incidents.models import Incident
    from tests.factories import make_incident

    at, by = clock.now(), company.owner
    if name == "incident":
        make_incident(company, at=at, known_at=at - timedelta(hours=23, minutes=chance.uniform(0, 59)))
        return True
    if name in ("document", "anchor"):
        return _write_files(name, chance, at=at)
    incident = Incident.objects.get(pk=pk)
    if name in ("known earlier", "fact", "people"):
        return _learn(name, company, incident, chance, at=at)
    if name == "evidence":
        expires = at + timedelta(minutes=chance.uniform(1, 90))
        services.evidence_add(incident=incident, title="log", at=at, expires_at=expires, by=by)
        return True
    return _settle(name, company, incident, chance, at=at)


def _write_files(name: str, chance: random.Random, *, at: datetime) -> bool:
    """What lies on a disk besides the database: kept documents, and the anchors of the journal."""
    from django.db import transaction

    from incidents import anchors
    from reports import storage

    if name == "anchor":
        anchors.anchor_journal(at=at)
        return True
    content = chance.randbytes(chance.randrange(1_000, DOCUMENT))
    with transaction.atomic():
        storage.store(content, media_type="application/octet-stream", name="proof", at=at)
    return True


def _learn(name: str, company: Any, incident: Any, chance: random.Random, *, at: datetime) -> bool:
    from incidents import services

    given: dict[str, Any] = {"incident": incident, "at": at, "by": company.owner}
    if name == "known earlier":
        moment = incident.reported_at - timedelta(minutes=chance.uniform(1, 60))
        services.fact_record(name="incident.known_at", value=moment, label="found later", **given)
    elif name == "people":
        services.people_record(
            entity=company.entity, residence="KR", count=chance.randrange(1, 5000), categories=["name"],
            confirmed_at=at, **given,
        )  # fmt: skip
    else:
        fact, value = chance.choice(
            [("leak.confirmed", True), ("leak.confirmed", False), ("risk.level", "high"), ("incident.is_cyber", True),
             ("leak.sensitive_data", True)]
        )  # fmt: skip
        services.fact_record(name=fact, value=value, **given)
    return True


def _settle(name: str, company: Any, incident: Any, chance: random.Random, *, at: datetime) -> bool:
    from incidents import services
    from incidents.models import Obligation

    by = company.owner
    if name == "known later":
        rows: list[Any] = list(incident.facts.filter(name="incident.known_at", kind="candidate"))
    elif name == "preserve":
        rows = list(incident.evidence_items.filter(state="at_risk"))
    elif name == "acknowledge":
        rows = list(incident.escalations.filter(acknowledged_at=None, fired_at__lte=at))
    else:
        rows = list(
            Obligation.objects.filter(incident=incident, state__in=("running", "overdue")).select_related("incident")
        )
    if not rows:
        return False
    row = chance.choice(rows)
    if name == "known later":
        services.candidate_adopt(candidate=row, reason="the other one was a test", at=at, by=by)
    elif name == "preserve":
        services.evidence_preserve(evidence=row, note="copied", at=at, by=by)
    elif name == "acknowledge":
        services.escalation_acknowledge(escalation=row, at=at, by=by)
    elif name == "draft":
        from reports import services as filings

        filings.filing_start(incident=incident, obligations=[row], at=at, by=by)
    else:
        services.obligation_meet(obligation=row, done_at=at, at=at, by=by, reference=f"receipt {row.pk}")
    return True
