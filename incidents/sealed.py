"""Database triggers that refuse to change what is evidence. Used by migrations; the same words on every database."""

from collections.abc import Iterable

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

FUNCTION = "breachclock_never_changed"


def message(table: str) -> str:
    """What the database says."""
    return f"rows of {table} are never changed or deleted"


def seal(schema_editor: BaseDatabaseSchemaEditor, tables: Iterable[str]) -> None:
    """Refuse UPDATE and DELETE (and TRUNCATE, where there is one) on ``tables``."""
    for table in tables:
        for statement in seal_statements(schema_editor.connection.vendor, table):
            schema_editor.execute(statement)


def unseal(schema_editor: BaseDatabaseSchemaEditor, tables: Iterable[str]) -> None:
    """Take the triggers away again (reversing a migration)."""
    for table in tables:
        for statement in unseal_statements(schema_editor.connection.vendor, table):
            schema_editor.execute(statement)


def seal_statements(vendor: str, table: str) -> list[str]:
    """The SQL that seals ``table``."""
    if vendor == "postgresql":
        return [
            f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION USING MESSAGE = 'rows of ' || TG_TABLE_NAME || ' are never changed or deleted'; END $$",
            f"CREATE TRIGGER {table}_sealed BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {FUNCTION}()",
            f"CREATE TRIGGER {table}_kept BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {FUNCTION}()",
        ]
    return [
        f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{message(table)}'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def unseal_statements(vendor: str, table: str) -> list[str]:
    """The SQL that takes the seal off ``table``."""
    if vendor == "postgresql":
        return [f"DROP TRIGGER IF EXISTS {table}_{name} ON {table}" for name in ("sealed", "kept")]
    return [f"DROP TRIGGER IF EXISTS {table}_{verb}" for verb in ("update", "delete")]


SEALED_TABLES = ("incidents_journalentry", "incidents_fact", "incidents_peoplecount")
# What a person decided about the law, and the law that was relied on.
SEALED_LAW_TABLES = ("incidents_ruledecision", "compliance_lawrelease")
# What a person adopted of a severity or classification, on which answers and with which working.
SEALED_CLASSIFICATION_TABLES = ("incidents_classification",)
ALL_SEALED_TABLES = SEALED_TABLES + SEALED_LAW_TABLES + SEALED_CLASSIFICATION_TABLES
