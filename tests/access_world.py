"""Three incidents with everything in them (own, another company's, a restricted one), and one person per role."""

import re
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.test import Client

from compliance import clock
from compliance.models import AuthorityContact
from incidents import ack, feeds, services, timers
from incidents.models import Incident, JournalEntry
from incidents.services import contacts, people, restriction
from reports import comments, requests
from reports import services as filings
from reports.api.filings import tag_of
from reports.models import Filing
from tests.factories import Company, later, make_company
from tests.reports.conftest import KNOWN, make_case

AT = later(KNOWN, hours=2)
NOW = later(AT, hours=1)
ROLES = (
    ["reporter", "owner", "counsel", "approver", "manager", "ciso", "cpo", "executive", "auditor", "administrator", "stranger"]
)  # fmt: skip
EVERYBODY = ("nobody", *ROLES)
KINDS = ("own", "other", "restricted")
# What says no. A page sends whoever is not signed in to the sign-in page.
REFUSALS = frozenset({401, 403, 404, 405, 410})
REASON = "사유를 충분히 적은 문장입니다. 확인이 필요합니다."


@dataclass(slots=True)
class World:
    """The incidents by kind, what can be named in addresses and bodies by kind, and a client for each person."""

    company: Company
    incidents: dict[str, Incident]
    names: dict[str, dict[str, Any]]
    clients: dict[str, Client] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)

    def ask(self, who: str, method: str, path: str, body: Any, kind: str, *, counts: bool = False) -> bool:
        """Whether ``who`` is let in: to read, or, with another method on a page (and where ``counts``), to change something.

        Nothing is kept.
        """
        cache.clear()
        given = self.names[kind]
        address, content = filled(path, given), filled(body, given)
        api = address.startswith("/api/")
        options: dict[str, Any] = {"headers": {"accept-language": "en", "if-match": given["tag"]} if api else {}}
        if api and content is not None:
            options |= {"data": content, "content_type": "application/json"}
        elif content is not None:
            options |= {"data": content}
        with transaction.atomic(), clock.simulated(NOW):
            before = JournalEntry.objects.count()
            # A page that signs somebody out must not do so for the next question.
            if who in self.sessions:
                self.clients[who].cookies["sessionid"] = self.sessions[who]
            call = getattr(self.clients[who], method.lower())
            answer = call(address, **options)
            changed = JournalEntry.objects.count() > before
            transaction.set_rollback(True)
        refused = answer.status_code in REFUSALS or "/accounts/login/?next=" in (
            answer.get("Location", "") + answer.get("HX-Redirect", "")
        )
        if method == "GET" or (api and not counts):
            return not refused
        return changed and not refused


def filled(value: Any, names: dict[str, Any]) -> Any:
    """``value`` with ``{name}`` replaced; a text that is nothing but a name becomes the thing itself."""
    if isinstance(value, dict):
        return {filled(key, names): filled(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\{(\w+)\}", value)
    if whole and not value.startswith("/"):
        return names[whole[1]]
    return re.sub(r"\{(\w+)\}", lambda found: str(names[found[1]]), value)


def make_world(settings: Any, tmp_path: Any) -> World:
    """The whole of it, through the services."""
    settings.FILES_ROOT = tmp_path / "files"
    company, elsewhere = make_company(), make_company("elsewhere", "other-")
    # The stranger works in the other company, and nowhere else.
    elsewhere.entity.memberships.create(user=company.stranger, role="owner")
    incidents, names = {}, {}
    for kind, code, owned in (
        ("own", "2025-014", company),
        ("other", "2025-900", elsewhere),
        ("restricted", "2025-666", company),
    ):
        incidents[kind], names[kind] = _filled(owned, code, company, settings, tmp_path)
    restriction.incident_name(
        incident=incidents["restricted"], restricted=True, people=[], reason=REASON, at=AT, by=company.counsel
    )
    world = World(company, incidents, names)
    for who in EVERYBODY:
        world.clients[who] = Client(raise_request_exception=False)
        if who != "nobody":
            world.clients[who].force_login(getattr(company, who))
            world.sessions[who] = world.clients[who].cookies["sessionid"].value
    return world


def _filled(
    owned: Company, code: str, company: Company, settings: Any, tmp_path: Any
) -> tuple[Incident, dict[str, Any]]:
    case = make_case(owned, settings, tmp_path, at=AT, code=code)
    incident = case.incident
    Incident.objects.filter(pk=incident.pk).update(reported_by=company.reporter, owner=owned.owner)
    incident = case.incident = Incident.objects.get(pk=incident.pk)
    timers.fire_due(now=AT)
    evidence = services.evidence_add(
        incident=incident, title="방화벽 로그", at=AT, by=owned.owner, expires_at=later(AT, days=9)
    )
    dismissal = services.dismissal_request(incident=incident, reason=REASON, at=AT, by=owned.executive)
    excused = incident.obligations.filter(state="running").exclude(pk=case.duty.pk).first() or case.duty
    excuse = services.excuse_request(
        obligation=excused, provision="제39조의4", reason=REASON, at=AT, by=owned.executive
    )
    sent = _sent(case, owned)
    draft = filings.filing_start(incident=incident, obligations=[case.duty], at=AT, by=owned.owner)
    first = next(iter(draft.values))
    comment = comments.comment_add(filing=draft, field=first, text="확인 바람", at=AT, by=owned.owner)
    reviewed = filings.filing_start(incident=incident, obligations=[case.duty], at=AT, by=owned.owner)
    filings.filing_send_to_review(filing=reviewed, at=AT, by=owned.owner)
    asked = requests.request_record(
        filing=sent, text="추가 자료를 제출하십시오", received_at=AT, due_at=None, at=AT, by=owned.owner
    )
    fact = incident.facts.filter(kind="value").first()
    candidate = incident.facts.filter(kind="candidate").first()
    escalation = incident.escalations.first()
    _link, calendar = feeds.link_make(user=company.owner, incident=None, days=30, at=AT)
    person = people.person_invite(
        email=f"{code}@example.test", name="초대", entity=owned.entity, roles=["ciso"], language="ko", at=AT, by=None
    )
    return incident, {
        "code": code,
        "entity": owned.entity.key,
        "entity_pk": owned.entity.pk,
        "fact": fact.number,
        "candidate": candidate.number,
        "candidate_pk": candidate.pk,
        "evidence": evidence.number,
        "duty": case.duty.pk,
        "excuse": excuse.pk,
        "dismissal": dismissal.pk,
        "escalation": escalation.pk,
        "message": incident.messages.first().pk,
        "sent": sent.number,
        "draft": draft.number,
        "reviewed": reviewed.number,
        "comment": comment.pk,
        "request": asked.pk,
        "dispatch": _uncertain(sent, owned).pk,
        "field": first,
        "rule": case.duty.rule,
        "contact": _contact(owned).pk,
        "person": owned.ciso.pk,
        "username": owned.ciso.username,
        "now": NOW.isoformat(),
        "local": "2025-09-15T15:30",
        "reason": REASON,
        "tag": ", ".join(tag_of(row) for row in incident.filings.all()),
        "calendar": calendar,
        "step": ack.link_for(escalation, owned.owner, at=AT).rstrip("/").rpartition("/")[2],
        "invitation": people.token_of(person.invitations.get()),
    }


def _contact(owned: Company) -> AuthorityContact:
    """How the company reaches an authority; two of the incidents are of one company."""
    held = AuthorityContact.objects.filter(entity=owned.entity).first()
    given = {"phone": "118", "source": "누리집 안내", "checked_on": AT.date()}
    return held or contacts.contact_save(
        entity=owned.entity, authority=next(iter(contacts.authorities())), at=AT, by=owned.counsel, **given
    )


def _sent(case: Any, owned: Company) -> Filing:
    filing = filings.filing_start(incident=case.incident, obligations=[case.duty], at=AT, by=owned.owner)
    filings.filing_send_to_review(filing=filing, at=AT, by=owned.owner)
    filings.filing_approve(filing=filing, at=AT, by=owned.counsel)
    filing = filings.filing_freeze(filing=filing, at=AT, by=owned.owner)
    filings.submission_record(
        filing=filing,
        submitted_at=AT,
        channel=next(iter(filing_channels(filing))),
        receipt_number="1",
        note="",
        proof=("receipt.pdf", b"%PDF-1.7\n%%EOF\n"),
        at=AT,
        by=owned.owner,
    )
    return Filing.objects.get(pk=filing.pk)


def filing_channels(filing: Filing) -> list[str]:
    """The ways in which its form may be handed over."""
    from reports import prefill

    return list(prefill.form_of(filing).channels)


def _uncertain(filing: Filing, owned: Company) -> Any:
    from reports.models import Dispatch

    return Dispatch.objects.create(
        filing=filing,
        channel="email",
        target="office@example.test",
        state="uncertain",
        request_key=f"matrix-{filing.pk}",
        requested_by=owned.owner,
        requested_at=AT,
    )
