"""The state machine of a filing as data."""

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.states import Move


class FilingState(models.TextChoices):
    """Where a filing stands."""

    DRAFT = "draft", _("Draft")
    IN_REVIEW = "in_review", _("In review")
    APPROVED = "approved", _("Approved")
    FROZEN = "frozen", _("Frozen")
    SUBMITTED = "submitted", _("Submitted")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    REFUSED = "refused", _("Refused")
    SUPERSEDED = "superseded", _("Superseded")
    WITHDRAWN = "withdrawn", _("Withdrawn")


FILING: Mapping[str, Move] = {
    "send_to_review": Move(("draft",), "in_review"),
    "return_to_author": Move(("in_review", "approved"), "draft"),
    "approve": Move(("in_review",), "approved"),
    "freeze": Move(("approved",), "frozen"),
    "submit": Move(("frozen",), "submitted"),
    "acknowledge": Move(("submitted",), "acknowledged"),
    "refuse": Move(("submitted", "acknowledged"), "refused"),
    "supersede": Move(("submitted", "acknowledged", "frozen", "refused"), "superseded"),
    "withdraw": Move(("draft", "in_review", "approved", "frozen"), "withdrawn"),
}
EDITABLE = (FilingState.DRAFT,)
LEFT_THE_HOUSE = (FilingState.SUBMITTED, FilingState.ACKNOWLEDGED)
