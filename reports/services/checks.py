"""What every step of a filing asks before it happens. Each refuses in the words of the person who is refused."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils.functional import lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from compliance.engine import LocalText
from compliance.errors import BadInput, Refused
from reports import prefill, privilege, record, statement
from reports.denials import denials
from reports.forms import Field
from reports.forms.formats import problem
from reports.models import Filing
from reports.states import EDITABLE, FILING, FilingState


def _words(text: LocalText) -> str:
    return text.get(get_language() or "en")


# Read in the language of whoever is shown the refusal, as the sentence around it is.
in_language = lazy(_words, str)


def held_now(filing: Filing) -> Filing:
    """``filing`` as the database has it now."""
    return Filing.objects.select_related("incident", "entity").get(pk=filing.pk)


def editable(filing: Filing, by: User) -> Filing:
    """``filing`` as it is now, for ``by`` to edit.

    Raises:
        NotPermitted: privileged, and not for ``by``.
        Refused: frozen, or no draft any more.
    """
    held = held_now(filing)
    privilege.require_sees(held, by)
    if held.document_id is not None:
        raise Refused(
            _("%(filing)s is frozen and never changes. Start a supplement or another filing instead."),
            code="filing_frozen",
            filing=str(held),
        )
    if held.state not in EDITABLE:
        raise Refused(
            _("%(filing)s is “%(state)s”. Have it returned to its author before editing."),
            code="not_a_draft",
            filing=str(held),
            state=held.get_state_display(),
        )
    return held


def movable(filing: Filing, move: str, by: User | None) -> Filing:
    """``filing`` as it is now, ready for ``move`` (a name of :data:`reports.states.FILING`) by ``by``, or by a channel of ours.

    Raises:
        NotPermitted: privileged, and not for ``by``.
        Refused: it stands in a state from which that move does not start.
    """
    held = held_now(filing)
    privilege.require_sees(held, by)
    if held.state not in FILING[move].source:
        raise Refused(
            _("%(filing)s is “%(state)s”: this cannot be done now."),
            code="wrong_state",
            filing=str(held),
            state=FilingState(held.state).label,
        )
    return held


def require_complete(filing: Filing) -> None:
    """Refuse unless every field that the law wants at this stage is given or said to be unknown."""
    keys = statement.missing(filing)
    if keys:
        form = prefill.form_of(filing)
        raise Refused(
            _("Required and still missing: %(fields)s."),
            code="fields_missing",
            field=keys[0],
            fields=", ".join(form.field(key).at(filing.stage).label.ko for key in keys),
        )


def require_length(item: Field, text: str) -> None:
    """Refuse ``text`` that is longer than the field takes."""
    if len(text) > item.max_length:
        raise BadInput(
            _("%(label)s has %(length)d characters. At most %(most)d fit."),
            code="too_long",
            field=item.key,
            label=in_language(item.label),
            length=len(text),
            most=item.max_length,
        )


def require_format(item: Field, text: str) -> None:
    """Refuse ``text`` that is not written as the receiver of the field wants it."""
    expected = problem(item, text)
    if expected is not None:
        raise BadInput(
            _("%(label)s: %(value)s cannot be used. Expected %(expected)s."),
            code="wrong_format",
            field=item.key,
            label=in_language(item.label),
            value=text[:60],
            expected=in_language(expected),
        )


def require_fit(filing: Filing) -> None:
    """What the record filled must fit as well as what a person typed."""
    for item in prefill.form_of(filing).fields(filing.stage):
        value = (filing.values.get(item.key) or {}).get("value")
        if isinstance(value, str) and value and item.type not in ("instant", "table"):
            require_length(item, value)
            require_format(item, value)


def require_grounds(filing: Filing) -> None:
    """Refuse a denial that rests on nothing."""
    bare = next((denial for denial in denials(filing) if not denial.supported), None)
    if bare is not None:
        raise Refused(
            _("%(label)s denies something. Name the evidence, or the fact with its source, that this rests on."),
            code="denial_without_evidence",
            field=bare.field.key,
            label=in_language(bare.field.label),
        )


def require_no_contradiction(filing: Filing, *, at: datetime) -> None:
    """Refuse what the record contradicts at ``at``."""
    found = statement.contradictions(filing, at=at)
    if found:
        raise Refused(
            _("The record contradicts this filing: %(words)s"), code="contradiction", words=in_language(found[0].says)
        )


def save(
    filing: Filing,
    action: str,
    *,
    at: datetime,
    by: User | None,
    new: object = None,
    detail: Mapping[str, Any] | None = None,
) -> Filing:
    """Store ``filing`` and tell the journal in the same transaction."""
    filing.save()
    record.write(filing, action, at=at, by=by, new=new, detail=detail)
    return filing
