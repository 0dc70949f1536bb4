"""What a person says of a token to be made."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from incidents.tokens import Scope

DAYS = (7, 30, 90, 180, 365)


class TokenForm(forms.Form):
    """What the token is called, what it is for, where, and for how long."""

    label = forms.CharField(
        label=_("Name"), max_length=80, widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"})
    )
    scopes = forms.MultipleChoiceField(label=_("What may it do?"), widget=forms.CheckboxSelectMultiple)
    entities = forms.ModelMultipleChoiceField(
        label=_("Only for incidents of these entities (none: all of yours)"),
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.TypedChoiceField(label=_("Good for how many days?"), coerce=int)

    def __init__(self, *args: Any, scopes: frozenset[str], entities: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["scopes"].choices = [choice for choice in Scope.choices if choice[0] in scopes]
        self.fields["entities"].queryset = entities
        most = settings.API_TOKEN_MAX_DAYS
        days = [number for number in DAYS if number < most] + [most]
        self.fields["days"].choices = [(number, str(number)) for number in days]
        self.fields["days"].initial = min(30, most)
