"""A person's decision: the proposal as it stands, or another level with a written reason."""

from compliance.engine.scoring.types import Adoption, Proposal, ReasonNeeded, UnknownLevel


def adoption(proposal: Proposal, chosen: str, reason: str = "") -> Adoption:
    """The decision to take the level ``chosen``, with the facts it would record. Writes nothing.

    A choice departs unless the proposal is determined and names the same level.

    Raises:
        UnknownLevel: the method has no such level.
        ReasonNeeded: the choice departs and ``reason`` is empty.
    """
    levels = {level.key: level for level in proposal.levels}
    if chosen not in levels:
        expected = ", ".join(levels)
        raise UnknownLevel(
            ko=f"{proposal.method}: {chosen!r}: 등급이 아닙니다. 다음 중 하나여야 합니다: {expected}",
            en=f"{proposal.method}: {chosen!r}: not a level; expected one of {expected}",
        )
    proposed = proposal.level.key if proposal.level else None
    departs = chosen != proposed
    if departs and not reason.strip():
        raise _reason_needed(proposal, chosen)
    return Adoption(
        method=proposal.method,
        version=proposal.version,
        digest=proposal.digest,
        proposed=proposed,
        chosen=chosen,
        departs=departs,
        reason=reason.strip(),
        facts=levels[chosen].proposes,
    )


def _reason_needed(proposal: Proposal, chosen: str) -> ReasonNeeded:
    if proposal.level:
        ko, en = f"제안({proposal.level.key})과", f"departs from the proposal ({proposal.level.key})"
        return ReasonNeeded(
            ko=f"{proposal.method}: {chosen}: {ko} 다릅니다. 이유를 적으십시오.",
            en=f"{proposal.method}: {chosen}: {en}; expected a reason",
        )
    span = f"{proposal.lowest.key}..{proposal.highest.key}"
    return ReasonNeeded(
        ko=f"{proposal.method}: {chosen}: 제안이 정해지지 않았습니다({span}). 이유를 적으십시오.",
        en=f"{proposal.method}: {chosen}: the proposal is undetermined ({span}); expected a reason",
    )
