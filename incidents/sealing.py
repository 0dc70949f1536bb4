"""What the journal holds of a fact: the salted digest of everything that was said, and what remains after redaction."""

from datetime import UTC, datetime
from typing import Any

from compliance.engine import digest
from incidents import journal
from incidents.models import Fact

# The entries that seal a fact as it was recorded.
FACT_ACTIONS = ("fact.recorded", "fact.retracted", "candidate.adopted")


def fact_subject(fact: Fact) -> str:
    """How the journal names a fact."""
    return f"fact:{fact.number} {fact.name}"


def fact_content(fact: Fact) -> dict[str, Any]:
    """What is sealed of ``fact``: the words that redaction destroys, and the rest. Facts of version 1 sealed less."""
    said: dict[str, Any] = {name: getattr(fact, name) for name in ("value", "label", "source", "note")}
    if not fact.salt:
        return {
            **said,
            "arguable": fact.arguable,
            "documented": fact.documented,
            "occurred_at": _iso(fact.occurred_at),
        }
    return {**said, **kept(fact)}


def kept(fact: Fact) -> dict[str, Any]:
    """What redaction leaves: which fact it was, how it counted, and what it is connected with."""
    return {
        "number": fact.number,
        "name": fact.name,
        "kind": fact.kind,
        "entity": fact.entity.key if fact.entity else None,
        "arguable": fact.arguable,
        "documented": fact.documented,
        "evidence": fact.evidence.number if fact.evidence else None,
        "supersedes": fact.supersedes.number if fact.supersedes else None,
        "adopts": fact.adopts.number if fact.adopts else None,
        "occurred_at": _iso(fact.occurred_at),
        "recorded_at": _iso(fact.recorded_at),
        "recorded_by": fact.recorded_by_id,
    }


def fact_digest(fact: Fact) -> str:
    """The digest of :func:`fact_content`, with the fact's salt where it has one."""
    content = fact_content(fact)
    return journal.salted(fact.salt, content) if fact.salt else digest(content)


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None
