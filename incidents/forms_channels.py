"""What people type about the ways to reach them."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from compliance.models import Role
from incidents.channels.models import Endpoint
from incidents.feeds import LIFETIMES

_CONTROL = {"class": "form-control"}


class EndpointForm(forms.Form):
    """An address of an entity, or of oneself alone."""

    entity = forms.ModelChoiceField(
        label=_("Whose address is it?"), queryset=None, required=False, empty_label=_("Mine alone")
    )
    role = forms.ChoiceField(
        label=_("Told what this role is told (of the company)"),
        choices=[("", _("Everybody's")), *Role.choices],
        required=False,
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=Endpoint.Kind.choices)
    label = forms.CharField(label=_("Name"), max_length=80, widget=forms.TextInput(attrs=_CONTROL))
    target = forms.CharField(
        label=_("Address"),
        max_length=1000,
        help_text=_(
            "A web address for a webhook; otherwise one of Apprise (for example slack://…). Never shown again."
        ),
        # What was typed is not sent back to the page either.
        widget=forms.PasswordInput(attrs={**_CONTROL, "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, entities: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["entity"].queryset = entities
        if not entities:
            # A person without such an office adds only the own pager.
            for name in ("entity", "role"):
                del self.fields[name]
            self.fields["kind"].choices = [(Endpoint.Kind.CHAT.value, Endpoint.Kind.CHAT.label)]


class ZoneForm(forms.Form):
    """In which zone a person reads times besides the authority's."""

    zone = forms.ChoiceField(label=_("My time zone"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        names = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
        self.fields["zone"].choices = [("", _("As my company")), *((name, name) for name in names)]


class LinkForm(forms.Form):
    """A private calendar address."""

    incident = forms.ModelChoiceField(
        label=_("Of which incident?"), queryset=None, required=False, empty_label=_("All that I may see"),
        to_field_name="code",
    )  # fmt: skip
    days = forms.TypedChoiceField(
        label=_("Good for how many days?"), coerce=int, choices=[(days, str(days)) for days in LIFETIMES], initial=90
    )

    def __init__(self, *args: Any, incidents: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["incident"].queryset = incidents
