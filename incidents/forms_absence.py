"""The forms of the page on absence and quiet hours."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from compliance.models import Entity
from incidents import access
from incidents.availability import Absence
from incidents.forms import InstantForm, LocalInstant
from incidents.services import absence as services


class _PersonField(forms.ModelChoiceField):
    """People by their names."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.get_full_name() or obj.get_username())


class AvailabilityForm(InstantForm):
    """What both forms share: the entity, who asks, and for whom."""

    person = _PersonField(label=_("Person"), queryset=User.objects.none(), empty_label=None)
    deputy = _PersonField(label=_("Deputy"), queryset=User.objects.none(), required=False, empty_label=_("Nobody"))

    def __init__(self, *args: Any, entity: Entity, user: User, **options: Any) -> None:
        self.entity = entity
        super().__init__(*args, **options)
        people = User.objects.filter(memberships__entity=entity, is_active=True).distinct().order_by("username")
        others = services.may_keep_for_others(user, entity)
        self.fields["person"].queryset = people if others else people.filter(pk=user.pk)
        self.fields["person"].initial = user.pk
        self.fields["deputy"].queryset = people.filter(
            memberships__entity=entity, memberships__role__in=access.handling_roles()
        ).distinct()
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "form-control")


class AbsenceForm(AvailabilityForm):
    """Somebody is away."""

    begins_at = LocalInstant(label=_("Away from (local time of the company)"))
    ends_at = LocalInstant(label=_("Back at (local time of the company)"))
    field_order = ("person", "begins_at", "ends_at", "deputy")

    def __init__(self, *args: Any, entity: Entity, user: User, **options: Any) -> None:
        super().__init__(*args, entity=entity, user=user, **options)
        self.fields["begins_at"].zone = self.fields["ends_at"].zone = entity.zone

    def perform(self, *, at: datetime, by: User) -> None:
        """Record it."""
        services.absence_record(entity=self.entity, at=at, by=by, **self.cleaned_data)


class PreferenceForm(AvailabilityForm):
    """Quiet hours and who always deputises."""

    quiet_from = forms.TimeField(label=_("Quiet from"), required=False, widget=forms.TimeInput(attrs={"type": "time"}))
    quiet_until = forms.TimeField(
        label=_("Quiet until"), required=False, widget=forms.TimeInput(attrs={"type": "time"})
    )
    whole_entity = forms.BooleanField(
        label=_("For everybody in the company who has set none"), required=False, widget=forms.CheckboxInput
    )
    field_order = ("person", "quiet_from", "quiet_until", "deputy", "whole_entity")

    def __init__(self, *args: Any, entity: Entity, user: User, **options: Any) -> None:
        super().__init__(*args, entity=entity, user=user, **options)
        if not services.may_keep_for_others(user, entity):
            del self.fields["whole_entity"]
        else:
            self.fields["whole_entity"].widget.attrs["class"] = "form-check-input"

    def perform(self, *, at: datetime, by: User) -> None:
        """Set them."""
        data = dict(self.cleaned_data)
        if data.pop("whole_entity", False):
            data |= {"person": None, "deputy": None}
        services.preference_set(entity=self.entity, at=at, by=by, **data)


class BackForm(forms.Form):
    """Somebody is back."""

    absence = forms.ModelChoiceField(queryset=Absence.objects.none())

    def __init__(self, *args: Any, entity: Entity, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["absence"].queryset = entity.absences.all()

    def perform(self, *, at: datetime, by: User) -> None:
        """End it."""
        services.absence_end(absence=self.cleaned_data["absence"], at=at, by=by)


ACTIONS = {"absence": AbsenceForm, "preference": PreferenceForm, "back": BackForm}
