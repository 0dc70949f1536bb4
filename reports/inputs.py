"""The forms of the pages of filings: instants are read in the entity's zone."""

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from incidents.forms import InstantForm, LocalInstant
from reports import prefill
from reports.models import Filing


class FilingForm(InstantForm):
    """A form about one filing."""

    def __init__(self, *args: Any, filing: Filing, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            if isinstance(field, LocalInstant):
                field.zone = filing.entity.zone


class SubmissionForm(FilingForm):
    """How it was handed over."""

    submitted_at = LocalInstant(label=_("Handed over at"))
    channel = forms.ChoiceField(label=_("Channel"))
    receipt_number = forms.CharField(label=_("Receipt number"), max_length=100, required=False)
    proof = forms.FileField(label=_("Proof (PDF, PNG or JPEG)"), required=False)
    note = forms.CharField(label=_("Note"), required=False, max_length=2000)

    def __init__(self, *args: Any, filing: Filing, **options: Any) -> None:
        super().__init__(*args, filing=filing, **options)
        channels = prefill.form_of(filing).channels
        language = get_language() or "en"
        self.fields["channel"].choices = [(key, text.get(language)) for key, text in channels.items()]


class OutcomeForm(FilingForm):
    """What came back."""

    outcome = forms.ChoiceField(
        label=_("Answer"), choices=(("acknowledged", _("Acknowledged")), ("refused", _("Refused")))
    )
    outcome_at = LocalInstant(label=_("Answered at"))
    note = forms.CharField(label=_("Note"), required=False, max_length=2000)


class RequestForm(FilingForm):
    """What an authority asks for after a filing."""

    text = forms.CharField(label=_("What is asked"), max_length=4000, widget=forms.Textarea(attrs={"rows": 3}))
    received_at = LocalInstant(label=_("Received at"))
    due_at = LocalInstant(label=_("To be answered by"), required=False)


class ResolveForm(FilingForm):
    """What a person found out about an uncertain submission."""

    sent = forms.ChoiceField(
        label=_("Did it reach the addressee?"),
        choices=(("", "–"), ("yes", _("Yes, it was sent")), ("no", _("No, it was not sent"))),
    )
    submitted_at = LocalInstant(label=_("Handed over at"), required=False)
    note = forms.CharField(label=_("How is this known?"), max_length=2000)


class PublicStatementForm(InstantForm):
    """A press statement or the like. Each line of ``figures`` is a topic and what is said of it."""

    title = forms.CharField(label=_("Title"), max_length=200)
    published_at = LocalInstant(label=_("Published at"))
    location = forms.CharField(label=_("Where it appeared"), max_length=300, required=False)
    text = forms.CharField(label=_("Text"), max_length=20000, widget=forms.Textarea(attrs={"rows": 6}))

    def __init__(self, *args: Any, zone: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["published_at"].zone = zone
