"""What people type, turned into values, or an error beside the field. Each action names the service it calls."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from compliance.engine import FactDef, TimeError, parse_instant
from compliance.library import get_library
from compliance.models import Entity
from incidents import services
from incidents.models import Dismissal, Escalation, Evidence, Excuse, Fact, Incident, Obligation
from incidents.services.preview import Preview

_ANSWERS = {"yes": True, "no": False, "unknown": None, "": None}
YES_NO_UNKNOWN = (("yes", _("Yes")), ("no", _("No")), ("unknown", _("Don't know")))


class LocalInstant(forms.CharField):
    """A local date and time in ``zone``. One that happens twice or never is an error shown to the person, never a guess."""

    widget = forms.DateTimeInput

    def __init__(self, *, zone: str = "Asia/Seoul", **options: Any) -> None:
        self.zone = zone
        super().__init__(**options)
        self.widget = forms.DateTimeInput(attrs={"type": "datetime-local", "class": "form-control", "step": "60"})
        self.widget.is_required = self.required

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_instant(text, self.zone)
        except TimeError as error:
            korean = (get_language() or "").startswith("ko")
            raise forms.ValidationError(error.ko if korean else error.en, code="time") from None


class InstantForm(forms.Form):
    """A form with local times. One that was refused becomes a plain text field, so that an offset can be typed into it:
    the browser's own control has no place for the answer to "which one?"."""

    def is_valid(self) -> bool:
        """As usual, and then the refused times change their control."""
        valid = super().is_valid()
        for name in self.errors:
            if isinstance(self.fields.get(name), LocalInstant):
                self.fields[name].widget = forms.TextInput(attrs={"class": "form-control"})
        return valid


class ReportForm(InstantForm):
    """Few questions, in plain words."""

    title = forms.CharField(label=_("What happened, in a few words?"), max_length=200)
    summary = forms.CharField(
        label=_("What do you know so far?"), required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    entity = forms.ModelChoiceField(
        label=_("Which company is concerned?"), queryset=Entity.objects.none(), empty_label=None
    )
    known_at = LocalInstant(label=_("When did you first notice it? (local time of the company)"))
    is_cyber = forms.ChoiceField(
        label=_("Is it an attack on our network or systems (hacking, malware, denial of service)?"),
        choices=YES_NO_UNKNOWN,
        widget=forms.RadioSelect,
        initial="unknown",
    )
    personal_data = forms.ChoiceField(
        label=_("Might personal data have been lost, stolen or leaked?"),
        choices=YES_NO_UNKNOWN,
        widget=forms.RadioSelect,
        initial="unknown",
    )
    drill = forms.BooleanField(label=_("This is a drill"), required=False)
    request_key = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, entities: Any, zone: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["entity"].queryset = entities
        self.fields["known_at"].zone = zone


class Action(InstantForm):
    """A form on the incident page. ``perform`` calls one service."""

    subject = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, incident: Incident, zone: str, **options: Any) -> None:
        self.incident = incident
        self.zone = zone
        super().__init__(*args, **options)
        for field in self.fields.values():
            if isinstance(field, LocalInstant):
                field.zone = zone

    def perform(self, *, at: datetime, by: User) -> None:
        """Call the service.

        Raises:
            Refused: what the service refuses.
        """
        raise TypeError("expected an action of its own")


def fact_field(definition: FactDef, zone: str) -> forms.Field:
    """The field in which a value of this fact is typed."""
    language = get_language() or "en"
    choices = [(key, text.get(language)) for key, text in definition.choices.items()]
    label = definition.question.get(language)
    if definition.type == "bool":
        return forms.ChoiceField(label=label, choices=(("yes", _("Yes")), ("no", _("No"))), widget=forms.RadioSelect)
    if definition.type == "choice":
        return forms.ChoiceField(label=label, choices=choices, widget=forms.RadioSelect)
    if definition.type == "choices":
        return forms.MultipleChoiceField(label=label, choices=choices, widget=forms.CheckboxSelectMultiple)
    if definition.type == "integer":
        return forms.IntegerField(label=label, min_value=0)
    if definition.type == "text":
        return forms.CharField(label=label, widget=forms.Textarea(attrs={"rows": 3}))
    return LocalInstant(label=label, zone=zone)


LABELLED = ("contested_instant", "event")


class FactForm(Action):
    """Record one fact; its value has the vocabulary's type."""

    name = forms.CharField(widget=forms.HiddenInput)
    # The number of the word on this fact that stood when the form was shown; empty: nobody looked.
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, fact: str | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        name = fact or (self.data.get(self.add_prefix("name")) if self.is_bound else None)
        self.definition = get_library().facts.get(name or "")
        if self.definition is None or self.definition.type in ("people", "profile"):
            self.definition = None
            return
        self.initial.setdefault("name", self.definition.name)
        if not self.is_bound:
            self.initial.setdefault("seen", services.fact_seen(self.incident, self.definition.name))
        self.fields["value"] = fact_field(self.definition, self.zone)
        if self.definition.type in LABELLED:
            self.fields["label"] = forms.CharField(label=_("What happened at that moment?"), max_length=300)
        if self.definition.type == "contested_instant":
            self.fields["arguable"] = forms.BooleanField(
                label=_("It can be argued that we knew at that moment"), required=False, initial=True
            )
        self.fields["source"] = forms.CharField(label=_("Source or evidence"), max_length=500, required=False)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if self.definition is None:
            raise forms.ValidationError(_("%(name)s is not a fact of the vocabulary."), params={"name": name})
        return name

    def _given(self) -> dict[str, Any]:
        data = self.cleaned_data
        value = data["value"]
        if self.definition is not None and self.definition.type == "bool":
            value = value == "yes"
        return {
            "incident": self.incident,
            "name": data["name"],
            "value": value,
            "label": data.get("label", ""),
            "arguable": data.get("arguable", True),
        }

    def preview(self, *, at: datetime) -> Preview:
        """What recording it would change.

        Raises:
            Refused: it cannot be recorded.
        """
        return services.facts_preview(**self._given(), at=at)

    def perform(self, *, at: datetime, by: User) -> None:
        data = self.cleaned_data
        services.fact_record(**self._given(), source=data["source"], seen=data["seen"], at=at, by=by)


class AdoptForm(Action):
    """Let one candidate drive the clock."""

    reason = forms.CharField(label=_("Why this moment?"), max_length=2000)

    def perform(self, *, at: datetime, by: User) -> None:
        candidate = Fact.objects.get(pk=self.cleaned_data["subject"], incident=self.incident)
        services.candidate_adopt(candidate=candidate, reason=self.cleaned_data["reason"], at=at, by=by)


class RetractForm(Action):
    """Take a fact back."""

    reason = forms.CharField(label=_("Why is it taken back?"), max_length=2000)

    def perform(self, *, at: datetime, by: User) -> None:
        fact = Fact.objects.get(pk=self.cleaned_data["subject"], incident=self.incident)
        services.fact_retract(fact=fact, reason=self.cleaned_data["reason"], at=at, by=by)


class PeopleForm(Action):
    """How many people of one place."""

    residence = forms.CharField(label=_("Place of residence"), max_length=12, initial="KR")
    count = forms.IntegerField(label=_("People (leave empty if not known yet)"), min_value=0, required=False)
    kinds = forms.MultipleChoiceField(
        label=_("Kinds of data (leave empty if not known yet)"), required=False, widget=forms.CheckboxSelectMultiple
    )
    categories = forms.CharField(label=_("Other data, separated by commas"), max_length=300, required=False)
    encrypted = forms.ChoiceField(
        label=_("Was all of their data encrypted?"), choices=YES_NO_UNKNOWN, initial="unknown", required=False
    )
    key_taken = forms.ChoiceField(
        label=_("Was the key taken too?"), choices=YES_NO_UNKNOWN, initial="unknown", required=False
    )
    confirmed_at = LocalInstant(label=_("Confirmed at"))
    source = forms.CharField(label=_("Source or evidence"), max_length=500, required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        language = get_language() or "en"
        kinds = get_library().facts["people.categories"].choices
        self.fields["kinds"].choices = [(key, text.get(language)) for key, text in kinds.items()]
        self.fields["residence"].help_text = _("KR, US-CA, DE-HE: the country, and the state where there is one")

    def _given(self) -> dict[str, Any]:
        data = self.cleaned_data
        others = [part.strip() for part in data["categories"].split(",") if part.strip()]
        return {
            "residence": data["residence"].upper(),
            "count": data["count"],
            "categories": [*data["kinds"], *others],
            "encrypted": _ANSWERS[data["encrypted"]],
            "key_taken": _ANSWERS[data["key_taken"]],
        }

    def _shared(self) -> dict[str, Any]:
        return {
            "incident": self.incident,
            "entity": self.incident.entities.order_by("pk")[0],
            "confirmed_at": self.cleaned_data["confirmed_at"],
        }

    def preview(self, *, at: datetime) -> Preview:
        """What recording it would change.

        Raises:
            Refused: it cannot be recorded.
        """
        return services.people_preview(**self._shared(), people=[self._given()], at=at)

    def perform(self, *, at: datetime, by: User) -> None:
        services.people_record(**self._shared(), **self._given(), source=self.cleaned_data["source"], at=at, by=by)


class SystemsForm(Action):
    """Affected systems, one name a line."""

    names = forms.CharField(label=_("Systems, one a line"), widget=forms.Textarea(attrs={"rows": 4}))
    finding = forms.CharField(label=_("What was found"), max_length=300, required=False)
    found_by = forms.CharField(label=_("Found by"), max_length=200)
    found_at = LocalInstant(label=_("Found at"), required=False)

    def perform(self, *, at: datetime, by: User) -> None:
        data = self.cleaned_data
        shared = {"finding": data["finding"], "found_by": data["found_by"], "found_at": data["found_at"]}
        rows = [{"name": line.strip(), **shared} for line in data["names"].splitlines() if line.strip()]
        services.systems_add(incident=self.incident, systems=rows, at=at, by=by)


class EvidenceForm(Action):
    """A piece of evidence, with its expiry."""

    title = forms.CharField(label=_("Evidence"), max_length=200)
    location = forms.CharField(label=_("Where it is"), max_length=300, required=False)
    expires_at = LocalInstant(label=_("Preserve before (when it will be overwritten)"), required=False)

    def perform(self, *, at: datetime, by: User) -> None:
        data = self.cleaned_data
        services.evidence_add(
            incident=self.incident,
            title=data["title"],
            location=data["location"],
            expires_at=data["expires_at"],
            at=at,
            by=by,
        )


class EvidenceSettleForm(Action):
    """What became of it."""

    outcome = forms.ChoiceField(choices=(("preserved", _("Preserved")), ("lost", _("Lost"))), widget=forms.HiddenInput)
    note = forms.CharField(label=_("Where and how, or why it is lost"), max_length=2000)
    sure = forms.BooleanField(label=_("It is gone for good; this cannot be undone"), required=False)

    def clean_sure(self) -> bool:
        """A loss is confirmed: there is no way back from it."""
        sure: bool = self.cleaned_data["sure"]
        if self.cleaned_data.get("outcome") == "lost" and not sure:
            raise forms.ValidationError(_("Confirm that it is lost: this cannot be undone."))
        return sure

    def perform(self, *, at: datetime, by: User) -> None:
        item = Evidence.objects.get(pk=self.cleaned_data["subject"], incident=self.incident)
        change = services.evidence_preserve if self.cleaned_data["outcome"] == "preserved" else services.evidence_lose
        change(evidence=item, note=self.cleaned_data["note"], at=at, by=by)


class LateReasonForm(Action):
    """Why a duty is late."""

    late_reason = forms.CharField(
        label=_("Reason for the delay"), widget=forms.Textarea(attrs={"rows": 3}), max_length=4000
    )

    def perform(self, *, at: datetime, by: User) -> None:
        row = Obligation.objects.get(pk=self.cleaned_data["subject"], incident=self.incident)
        services.late_reason_record(obligation=row, reason=self.cleaned_data["late_reason"], at=at, by=by)


class AcknowledgeForm(Action):
    """I have seen it."""

    def perform(self, *, at: datetime, by: User) -> None:
        row = Escalation.objects.get(pk=self.cleaned_data["subject"], incident=self.incident)
        services.escalation_acknowledge(escalation=row, at=at, by=by)


class MoveForm(Action):
    """Take up, confirm, close."""

    move = forms.ChoiceField(
        choices=(
            ("begin_assessment", _("Begin assessment")),
            ("confirm", _("Confirm the incident")),
            ("close", _("Close")),
        ),
        widget=forms.HiddenInput,
    )

    def perform(self, *, at: datetime, by: User) -> None:
        moves = {
            "begin_assessment": services.incident_begin_assessment,
            "confirm": services.incident_confirm,
            "close": services.incident_close,
        }
        moves[self.cleaned_data["move"]](incident=self.incident, at=at, by=by)


class ReopenForm(Action):
    """It was not over."""

    reason = forms.CharField(label=_("Why is it opened again?"), max_length=2000)

    def perform(self, *, at: datetime, by: User) -> None:
        services.incident_reopen(incident=self.incident, reason=self.cleaned_data["reason"], at=at, by=by)


class DismissForm(Action):
    """Ask that it be called nothing."""

    reason = forms.CharField(label=_("Why was it nothing?"), widget=forms.Textarea(attrs={"rows": 3}), max_length=4000)

    def perform(self, *, at: datetime, by: User) -> None:
        services.dismissal_request(incident=self.incident, reason=self.cleaned_data["reason"], at=at, by=by)


class DismissalDecisionForm(Action):
    """The second person's word."""

    decision = forms.ChoiceField(choices=(("approve", _("Agree")), ("reject", _("Reject"))), widget=forms.HiddenInput)
    note = forms.CharField(label=_("Note"), max_length=2000, required=False)

    def perform(self, *, at: datetime, by: User) -> None:
        row = Dismissal.objects.get(pk=self.cleaned_data["subject"], incident=self.incident)
        approve = self.cleaned_data["decision"] == "approve"
        services.dismissal_decide(dismissal=row, approve=approve, note=self.cleaned_data["note"], at=at, by=by)


class ExcuseForm(Action):
    """Ask that a lawful exception be accepted."""

    provision = forms.CharField(label=_("Provision"), max_length=300)
    reason = forms.CharField(label=_("Why does it apply?"), max_length=4000)

    def perform(self, *, at: datetime, by: User) -> None:
        row = Obligation.objects.get(pk=self.cleaned_data["subject"], incident=self.incident)
        data = self.cleaned_data
        services.excuse_request(obligation=row, provision=data["provision"], reason=data["reason"], at=at, by=by)


class ExcuseDecisionForm(Action):
    """The second person's word."""

    decision = forms.ChoiceField(choices=(("approve", _("Agree")), ("reject", _("Reject"))), widget=forms.HiddenInput)

    def perform(self, *, at: datetime, by: User) -> None:
        row = Excuse.objects.get(pk=self.cleaned_data["subject"], obligation__incident=self.incident)
        services.excuse_decide(excuse=row, approve=self.cleaned_data["decision"] == "approve", at=at, by=by)


class RuleForm(Action):
    """Follow a rule of low confidence as hard law, or stop following it."""

    follow = forms.ChoiceField(
        choices=(("yes", _("Follow it")), ("no", _("Don't follow it"))), widget=forms.HiddenInput
    )
    reason = forms.CharField(label=_("Reason"), max_length=2000)

    def perform(self, *, at: datetime, by: User) -> None:
        row = Obligation.objects.get(pk=self.cleaned_data["subject"], incident=self.incident)
        services.rule_decide(
            incident=self.incident,
            entity=row.entity,
            rule=row.rule,
            follow=self.cleaned_data["follow"] == "yes",
            reason=self.cleaned_data["reason"],
            at=at,
            by=by,
        )


class LawAcceptForm(forms.Form):
    """Put an incident under the law in use now."""

    reason = forms.CharField(
        label=_("Why is the newer law accepted for this incident?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "form-control"}),
    )


class DayOffForm(forms.Form):
    """A day off that a calendar does not know yet."""

    calendar = forms.ChoiceField(label=_("Calendar"), widget=forms.Select(attrs={"class": "form-control"}))
    on = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}))
    name = forms.CharField(label=_("Name of the day"), max_length=120)
    source = forms.CharField(label=_("Where it was announced"), max_length=300)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["calendar"].choices = [(key, key) for key in sorted(get_library().calendars)]
        for name in ("name", "source"):
            self.fields[name].widget.attrs["class"] = "form-control"


ACTIONS: dict[str, type[Action]] = {
    "fact": FactForm,
    "adopt": AdoptForm,
    "retract": RetractForm,
    "people": PeopleForm,
    "systems": SystemsForm,
    "evidence": EvidenceForm,
    "settle": EvidenceSettleForm,
    "late": LateReasonForm,
    "acknowledge": AcknowledgeForm,
    "move": MoveForm,
    "reopen": ReopenForm,
    "dismiss": DismissForm,
    "dismissal": DismissalDecisionForm,
    "excuse": ExcuseForm,
    "excusal": ExcuseDecisionForm,
    "rule": RuleForm,
}
