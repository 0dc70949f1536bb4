"""django-fsm-2 without its sharp edges.

Its ``protected=True`` is a flag on the field object shared by the whole process, which ``refresh_from_db``
switches off and on: after a failed refresh protection stays off, and concurrent refreshes trip over each other.
We keep the field protected and never use that path: :meth:`Machine.refresh_from_db` re-reads with a query and
copies the values instead.

It also lets a state slip past its own table: a move is lost in silence by ``save(update_fields=...)`` without the state,
and ``QuerySet.update``, ``bulk_update``, ``bulk_create`` and the constructor ask no table at all. Here each is an error.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Self

from django.db import models
from django_fsm import FSMField, TransitionNotAllowed, transition

from incidents.states import Move

__all__ = ["FSMField", "Machine", "StateByHand", "TransitionNotAllowed", "moves"]


def moves(field: FSMField, move: Move) -> Callable[..., Any]:
    """Decorate a method as the state change ``move`` of ``field``."""
    return transition(field=field, source=list(move.source), target=move.target)


class StateByHand(RuntimeError):
    """A state that would be written past the table of moves, or a move that would be lost."""


def _state_fields(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields if isinstance(field, FSMField)]


class GuardedQuerySet[M: models.Model](models.QuerySet[M]):
    """Changes no state: only a move on a row that was read may."""

    def update(self, **changes: Any) -> int:
        """Refuse to write a state past its table.

        Raises:
            StateByHand: ``changes`` name a state.
        """
        _refuse(self.model, changes)
        return super().update(**changes)

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None) -> int:
        """As :meth:`update`."""
        names = list(fields)
        _refuse(self.model, names)
        return super().bulk_update(objs, names, batch_size=batch_size)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> list[Any]:
        """Refuse rows that begin in the middle of their table.

        Raises:
            StateByHand: a row that is not in a state in which it may begin.
        """
        rows = list(objs)
        for row in rows:
            row.require_beginning()
        return super().bulk_create(rows, *args, **options)


class GuardedManager[M: models.Model](models.Manager[M]):
    """The way to a :class:`GuardedQuerySet`."""

    def get_queryset(self) -> GuardedQuerySet[M]:
        """All rows."""
        return GuardedQuerySet(self.model, using=self._db)


def write_move(rows: "Sequence[Machine]", **changes: Any) -> None:
    """Write the one move that all of ``rows``, of one model, have made since they were read, together with ``changes``.

    One UPDATE, which finds only rows that are still in the state in which they were read.

    Raises:
        StateByHand: they made different moves, or none; or one of them was changed meanwhile.
    """
    model = type(rows[0])
    (name,) = _state_fields(model)
    moves = {(row.__dict__["_states"][name], row.__dict__[name]) for row in rows}
    source, target = next(iter(moves))
    if len(moves) > 1 or source == target:
        raise StateByHand(f"{model.__name__}.{name}: expected one move of all rows, not {sorted(moves)}")
    # Not by the guarded query, which is for those who made no move.
    held = models.QuerySet(model).filter(pk__in=[row.pk for row in rows], **{name: source})
    if held.update(**{name: target}, **changes) != len(rows):
        raise StateByHand(f"{model.__name__}.{name}: a row was changed by somebody else meanwhile")
    for row in rows:
        row._remember()


def _refuse(model: type[models.Model], names: Iterable[str]) -> None:
    written = sorted(set(_state_fields(model)) & set(names))
    if written:
        raise StateByHand(f"{model.__name__}.{written[0]}: expected a move of the table, not an update")


class Machine(models.Model):
    """A model with a protected state. ``begins_in``: other states than the default in which a row may begin."""

    begins_in: ClassVar[frozenset[str]] = frozenset()
    objects = GuardedManager()

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, *args: Any, **options: Any) -> Self:
        """Read a row, and remember its state."""
        row = super().from_db(*args, **options)
        row._remember()
        return row

    def save(self, **options: Any) -> None:
        """Write the row, with the move it made.

        Raises:
            StateByHand: ``update_fields`` would lose a move, or a new row begins in the middle of its table.
        """
        names = options.get("update_fields")
        if self._state.adding:
            self.require_beginning()
        elif names is not None:
            lost = sorted(name for name in self._moved() if name not in names)
            if lost:
                raise StateByHand(f"{type(self).__name__}.{lost[0]}: expected in update_fields, or its move is lost")
        super().save(**options)
        self._remember(names)

    def require_beginning(self) -> None:
        """Refuse a new row in a state that only a move reaches.

        Raises:
            StateByHand: it is in such a state.
        """
        for name in _state_fields(type(self)):
            state = self.__dict__[name]
            if state != self._meta.get_field(name).default and state not in self.begins_in:
                raise StateByHand(f"{type(self).__name__}.{name}: a new row cannot begin as {state}")

    @property
    def has_moved(self) -> bool:
        """Whether it made a move since it was read that is not written yet."""
        return bool(self._moved())

    def _moved(self) -> list[str]:
        held = self.__dict__
        return [name for name, state in held.get("_states", {}).items() if held.get(name, state) != state]

    def _remember(self, names: Iterable[str] | None = None) -> None:
        held = self.__dict__
        fresh = {name: held[name] for name in _state_fields(type(self)) if name in held}
        if names is not None:
            fresh = {name: state for name, state in fresh.items() if name in names}
        held["_states"] = {**held.get("_states", {}), **fresh}

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
        self._remember(wanted)
