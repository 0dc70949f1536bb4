"""Severity and classification: the method proposes, a person adopts, with a reason when departing from the result."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from compliance.engine import LawError
from compliance.engine.scoring import (
    Adoption,
    Answers,
    Method,
    Proposal,
    ReasonNeeded,
    UnknownLevel,
    adoption,
    calculate,
    read_answers,
)
from compliance.engine.strict import Node, plain
from compliance.errors import BadInput
from compliance.library import get_methods
from compliance.models import Entity
from compliance.text import clean
from incidents import access, journal
from incidents.models import Classification, Incident
from incidents.services import sheets
from incidents.services.assessment import reassess_locked
from incidents.services.common import changing
from incidents.services.facts import facts_record

PEOPLE = "people.count"
REASON_AT_LEAST = 5


def classification_propose(
    *, incident: Incident, entity: Entity, method: str, answers: Mapping[str, Any], at: datetime
) -> Proposal:
    """What ``method`` proposes for ``entity`` on ``answers`` and the facts known at ``at``. Writes nothing.

    ``answers`` has the form of a file of answers: ``answers`` by question, and ``reasons``.

    Raises:
        BadInput: an unknown method, or answers that are not of its questions.
    """
    found = _method(method)
    return calculate(found, _read(found, answers), known_facts(incident, entity, method=found, at=at))


def classification_adopt(
    *,
    incident: Incident,
    entity: Entity,
    method: str,
    answers: Mapping[str, Any],
    chosen: str,
    reason: str,
    at: datetime,
    by: User | None,
) -> Classification:
    """Adopt the level ``chosen``, record the facts that it stands for, and re-assess once.

    The proposal is worked out here, on ``answers`` and the facts known at ``at``; nobody is believed on its result. The facts
    are the incident's where it has one entity, otherwise those of ``entity`` alone.

    Raises:
        BadInput: an unknown method or level, answers that are not of its questions, an entity that is not of the incident,
            no level, or no reason although the choice departs or the proposal is undetermined.
        NotPermitted: ``by`` may not handle the incident.
    """
    with changing(incident, at=at) as locked:
        access.require_handle(by, locked, at=at)
        _require_entity(locked, entity)
        found = _method(method)
        facts = known_facts(locked, entity, method=found, at=at)
        proposal = calculate(found, _read(found, answers), facts)
        decision = _decided(proposal, chosen, clean(reason))
        row = Classification.objects.create(
            incident=locked,
            entity=entity,
            method=method,
            digest=found.digest,
            answers={**plain(answers), "facts": plain(facts)},
            proposal=proposal_json(proposal),
            chosen=chosen,
            reason=decision.reason,
            adopted_by=by,
            adopted_at=at,
            salt=journal.new_salt(locked, f"classification:{locked.classifications.count() + 1}"),
        )
        _journal(locked, row, decision, at=at, by=by)
        if decision.facts:
            _record(locked, row, decision, found, at=at, by=by)
        else:
            # The level itself may count, even where it stands for no fact.
            reassess_locked(locked, at=at, by=by)
        return row


def known_facts(incident: Incident, entity: Entity, *, method: Method, at: datetime) -> Mapping[str, Any]:
    """The recorded facts that answer questions of ``method``, by name; those not recorded are absent."""
    wanted = {question.fact for question in method.questions.values() if question.fact}
    if not wanted:
        return {}
    known = sheets.read(incident, as_of=at)
    facts = dict(sheets.fact_sheet(incident, entity, as_of=at, known=known).facts)
    facts[PEOPLE] = sheets.people_total(known.people, entity)
    return {name: facts[name] for name in sorted(wanted) if facts.get(name) is not None}


def _method(key: str) -> Method:
    methods = get_methods()
    if key not in methods:
        raise BadInput(
            _("%(value)s: expected one of %(expected)s."),
            code="unknown_method",
            field="method",
            value=key,
            expected=", ".join(methods),
        )
    return methods[key]


def _read(method: Method, answers: Mapping[str, Any]) -> Answers:
    try:
        return read_answers(Node(dict(answers), file=method.key, key=""), method)
    except LawError as error:
        raise BadInput(
            _("The answers cannot be used: %(what)s"), code="wrong_answers", field="answers", what=error
        ) from None


def _require_entity(incident: Incident, entity: Entity) -> None:
    if not incident.entities.filter(pk=entity.pk).exists():
        raise BadInput(
            _("%(entity)s is not an entity of %(incident)s."),
            code="not_of_incident",
            field="entity",
            entity=entity.name,
            incident=incident.code,
        )


def _decided(proposal: Proposal, chosen: str, reason: str) -> Adoption:
    if not chosen:
        raise BadInput(_("Choose a level."), code="level_required", field="chosen")
    try:
        decision = adoption(proposal, chosen, reason)
    except UnknownLevel:
        raise BadInput(
            _("%(value)s: expected one of %(expected)s."),
            code="unknown_level",
            field="chosen",
            value=chosen,
            expected=", ".join(level.key for level in proposal.levels),
        ) from None
    except ReasonNeeded:
        raise _reason_needed(proposal) from None
    if decision.departs and len(decision.reason) < REASON_AT_LEAST:
        raise _reason_needed(proposal)
    return decision


def _reason_needed(proposal: Proposal) -> BadInput:
    if proposal.level is None:
        return BadInput(
            _("The result is still open. To adopt a level now, write a reason of at least %(least)d characters."),
            code="reason_needed",
            field="reason",
            least=REASON_AT_LEAST,
        )
    return BadInput(
        _("Your choice departs from the proposal. Write a reason of at least %(least)d characters."),
        code="reason_needed",
        field="reason",
        least=REASON_AT_LEAST,
    )


def proposal_json(proposal: Proposal) -> dict[str, Any]:
    """The proposal with all levels, so that the row can be read without the method as it was."""
    return {**proposal.to_json(), "levels": [level.to_json() for level in proposal.levels]}


def _sealed(row: Classification) -> dict[str, Any]:
    """What the journal's digest speaks of."""
    return {
        "method": row.method,
        "digest": row.digest,
        "answers": row.answers,
        "proposal": row.proposal,
        "chosen": row.chosen,
        "reason": row.reason,
    }


def _journal(incident: Incident, row: Classification, decision: Adoption, *, at: datetime, by: User | None) -> None:
    before = incident.classifications.filter(entity=row.entity, method=row.method).exclude(pk=row.pk).last()
    journal.write(
        incident=incident,
        at=at,
        by=by,
        action="classification.adopted",
        subject=f"classification {row.method}",
        old=before.chosen if before else None,
        # With a salt that lies beside the row, so that it can be destroyed together with what it protects.
        new=journal.Digest(journal.salted(row.salt, _sealed(row))),
        detail={
            "entity": row.entity.key,
            "version": decision.version,
            "digest": decision.digest[:16],
            "proposed": decision.proposed or "",
            "chosen": decision.chosen,
            "departs": decision.departs,
        },
    )


def _record(
    incident: Incident, row: Classification, decision: Adoption, method: Method, *, at: datetime, by: User | None
) -> None:
    """Record what the level stands for, as any fact is recorded; the duties follow in the same transaction."""
    title = method.title.get(get_language() or "en")
    person = (by.get_full_name() or by.get_username()) if by else gettext("the system")
    shared = {
        "entity": row.entity if incident.entities.count() > 1 else None,
        "source": gettext("%(method)s, adopted by %(person)s") % {"method": title, "person": person},
        "note": decision.reason,
    }
    facts_record(
        incident=incident,
        facts=[{"name": name, "value": value, **shared} for name, value in decision.facts.items()],
        at=at,
        by=by,
    )
