"""Columns that are encrypted at rest (:mod:`compliance.vault`). In Python they are what they were; in the database nobody reads them.

Nothing can be looked up in them but whether there is something: everything else is refused, so that no search is silently empty.
"""

import json
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldError
from django.db import DataError, models
from django.db.models import Expression

from compliance import vault

ALLOWED_LOOKUPS = frozenset({"isnull"})


class Encrypted:
    """What both kinds share: where they are, and what may be asked of them."""

    model: Any
    name: str

    @property
    def place(self) -> str:
        """What a sealed value is bound to."""
        return f"{self.model._meta.label_lower}.{self.name}"

    def get_lookup(self, lookup_name: str) -> Any:
        """Only whether there is something."""
        if lookup_name not in ALLOWED_LOOKUPS:
            raise FieldError(f"{self.place} is encrypted: expected one of the lookups {sorted(ALLOWED_LOOKUPS)}")
        return super().get_lookup(lookup_name)  # type: ignore[misc]

    def get_transform(self, name: str) -> Any:
        """None: nothing inside can be reached by the database."""
        raise FieldError(f"{self.place} is encrypted: {name} cannot be looked up in it")


class EncryptedTextField(Encrypted, models.TextField):
    """A text. Empty stays empty, so that it can be told from something. ``max_length`` is of what was said."""

    def get_lookup(self, lookup_name: str) -> Any:
        """Also whether it is empty (``exact`` with an empty text)."""
        return _Empty if lookup_name == "exact" else super().get_lookup(lookup_name)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Sealed."""
        text = super().get_db_prep_value(value, connection, prepared)
        if not isinstance(text, str) or text == "":
            return text
        if self.max_length is not None and len(text) > self.max_length:
            raise DataError(f"{self.place}: expected at most {self.max_length} characters")
        return vault.seal_text(text, self.place)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Opened. A row from before encryption is read as it is."""
        return vault.unseal_text(value, self.place) if isinstance(value, str) and vault.is_sealed(value) else value


class _Empty(models.lookups.Exact):  # type: ignore[name-defined]
    def get_db_prep_lookup(self, value: Any, connection: Any) -> Any:
        if value != "":
            raise FieldError("an encrypted column can be compared with nothing but the empty text")
        return "%s", [value]


@dataclass(frozen=True, slots=True)
class Plain:
    """A value that its row says needs no encryption."""

    value: Any


class EncryptedJSONField(Encrypted, models.JSONField):
    """Plain JSON. In the column stands one JSON text, which is sealed.

    ``when``: an attribute of the row that says whether this row's value is sealed; without it every one is.
    """

    def __init__(self, *args: Any, when: str = "", **options: Any) -> None:
        self.when = when
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        """With ``when``."""
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, **({"when": self.when} if self.when else {})}

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """As the row says."""
        value = super().pre_save(model_instance, add)
        return Plain(value) if self.when and not getattr(model_instance, self.when, True) else value

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """None stays the NULL of the database."""
        held = value.value if isinstance(value, Plain) else value
        return None if held is None else super().get_db_prep_save(value, connection)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Sealed."""
        if isinstance(value, Plain):
            return super().get_db_prep_value(value.value, connection, prepared)
        if value is None or isinstance(value, Expression):
            return super().get_db_prep_value(value, connection, prepared)
        sealed = vault.seal_text(json.dumps(value, ensure_ascii=False), self.place)
        return super().get_db_prep_value(sealed, connection, prepared)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Opened. A row that is not sealed is read as it is."""
        held = super().from_db_value(value, expression, connection)
        if isinstance(held, str) and vault.is_sealed(held):
            return json.loads(vault.unseal_text(held, self.place))
        return held
