"""django-fsm-2 without its sharp edges.

Its ``protected=True`` is a flag on the field object shared by the whole process, which ``refresh_from_db``
switches off and on: after a failed refresh protection stays off, and concurrent refreshes trip over each other.
We keep the field protected and never use that path: :meth:`Machine.refresh_from_db` re-reads with a query and
copies the values instead.
"""

from collections.abc import Callable, Iterable
from typing import Any, Self

from django.db import models
from django_fsm import FSMField, TransitionNotAllowed, transition

from incidents.states import Move

__all__ = ["FSMField", "Machine", "TransitionNotAllowed", "moves"]


def moves(field: FSMField, move: Move) -> Callable[..., Any]:
    """Decorate a method as the state change ``move`` of ``field``."""
    return transition(field=field, source=list(move.source), target=move.target)


class Machine(models.Model):
    """A model with a protected state."""

    class Meta:
        abstract = True

    def refresh_from_db(
        self, using: str | None = None, fields: Iterable[str] | None = None, from_queryset: Any = None
    ) -> None:
        """Re-read this row (or ``fields`` of it) without touching the shared protection flag."""
        manager = (
            from_queryset if from_queryset is not None else type(self)._base_manager.using(using or self._state.db)
        )
        fresh: Self = manager.get(pk=self.pk)
        wanted = set(fields) if fields is not None else None
        for held in self._meta.concrete_fields:
            if wanted is None or held.name in wanted or held.attname in wanted:
                self.__dict__[held.attname] = getattr(fresh, held.attname)
                if held.is_relation and held.is_cached(self):
                    held.delete_cached_value(self)
