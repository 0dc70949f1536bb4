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
        return [f"DROP TRIGGER IF EXISTS {table}_{name} ON {table}" for name in ("sealed", "kept", "redacted")]
    return [f"DROP TRIGGER IF EXISTS {table}_{verb}" for verb in ("update", "delete")]


JOURNAL_TABLE, FACT_TABLE = "incidents_journalentry", "incidents_fact"
REDACTION_FUNCTION = "breachclock_redacted_only"
# What redaction empties, what it writes, and what must stay as it was.
REDACTED_TEXTS = ("label", "source", "note", "salt")
REDACTION_WRITES = ("redacted_at", "redacted_by_id", "redaction_reason")
REDACTION_KEEPS = (
    "id", "incident_id", "entity_id", "number", "name", "kind", "arguable", "documented", "evidence_id", "supersedes_id",
    "adopts_id", "occurred_at", "recorded_at", "recorded_by_id", "digest",
)  # fmt: skip


# Columns that are encrypted at rest: another key may take the place of one. Whether the words are the same, the
# journal's digests say, not the database.
SEALED_TEXTS = ("label", "source", "note")


def resealed(column: str, *, json: bool = False) -> str:
    """SQL that holds where ``column`` was and is encrypted (:mod:`compliance.vault`)."""
    mark = '"bc1:' if json else "bc1:"
    return " AND ".join(
        f"substr(CAST({row}.\"{column}\" AS text), 1, {len(mark)}) = '{mark}'" for row in ("OLD", "NEW")
    )


def fact_seal_statements(vendor: str) -> list[str]:
    """The SQL that seals the facts, but for redaction: content and salt go, the digest stays, who and why is written.

    And but for a new key of encryption, which leaves everything that is said as it was.
    """
    distinct = "IS DISTINCT FROM" if vendor == "postgresql" else "IS NOT"
    said = {column: resealed(column) for column in SEALED_TEXTS} | {"value": resealed("value", json=True)}
    same = " AND ".join(
        (
            *(
                f"NOT (OLD.{column} {distinct} NEW.{column})"
                for column in (*REDACTION_KEEPS, *REDACTION_WRITES, "salt")
            ),
            *(f"(NOT (OLD.{column} {distinct} NEW.{column}) OR ({sealed}))" for column, sealed in said.items()),
        )
    )
    resealed_one = " OR ".join(f"OLD.{column} {distinct} NEW.{column}" for column in said)
    wrong = " OR ".join(
        (
            "OLD.redacted_at IS NOT NULL",
            "OLD.digest = ''",
            "NEW.redacted_at IS NULL",
            "NEW.redacted_by_id IS NULL",
            "trim(NEW.redaction_reason) = ''",
            "NEW.value IS NOT NULL",
            *(f"NEW.{column} <> ''" for column in REDACTED_TEXTS),
            *(f"OLD.{column} {distinct} NEW.{column}" for column in REDACTION_KEEPS),
        )
    )
    return _but_for(vendor, FACT_TABLE, REDACTION_FUNCTION, f"NOT ({same} AND ({resealed_one})) AND ({wrong})")


def _but_for(vendor: str, table: str, function: str, wrong: str) -> list[str]:
    """The SQL that refuses every change of ``table`` for which ``wrong`` holds, and every deletion."""
    if vendor == "postgresql":
        return [
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF {wrong} THEN RAISE EXCEPTION USING MESSAGE = '{message(table)}'; END IF; RETURN NEW; END $$",
            f"CREATE TRIGGER {table}_redacted BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()",
            f"CREATE TRIGGER {table}_sealed BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {FUNCTION}()",
            f"CREATE TRIGGER {table}_kept BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {FUNCTION}()",
        ]
    abort = f"BEGIN SELECT RAISE(ABORT, '{message(table)}'); END"
    return [
        f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} WHEN {wrong} {abort}",
        f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} {abort}",
    ]


CLASSIFICATION_TABLE = "incidents_classification"
EMPTYING_FUNCTION = "breachclock_emptied_only"
# Of an adopted classification: what redaction empties, what it writes, and what must stay as it was.
EMPTIED_TEXTS = ("reason", "salt")
EMPTYING_KEEPS = ("id", "incident_id", "entity_id", "method", "digest", "chosen", "adopted_by_id", "adopted_at")
# And of its working: the outcome stays, what it was worked out from goes.
PROPOSAL_KEEPS = ("method", "version", "level", "levels")
PROPOSAL_EMPTIES = ("working", "open", "beside", "readings")


def classification_seal_statements(vendor: str) -> list[str]:
    """The SQL that seals adopted classifications, but for redaction: answers and working go, what was adopted stays."""
    postgres = vendor == "postgresql"
    distinct = "IS DISTINCT FROM" if postgres else "IS NOT"

    def part(row: str, key: str) -> str:
        return f"({row}.proposal -> '{key}')" if postgres else f"json_extract({row}.proposal, '$.{key}')"

    nothing = ("'{}'::jsonb", "'[]'::jsonb") if postgres else ("'{}'", "'[]'")
    wrong = " OR ".join(
        (
            "OLD.redacted_at IS NOT NULL",
            "NEW.redacted_at IS NULL",
            "NEW.redacted_by_id IS NULL",
            "trim(NEW.redaction_reason) = ''",
            f"NEW.answers {distinct} {nothing[0]}",
            *(f"{part('NEW', key)} {distinct} {nothing[1]}" for key in PROPOSAL_EMPTIES),
            *(f"{part('OLD', key)} {distinct} {part('NEW', key)}" for key in PROPOSAL_KEEPS),
            *(f"NEW.{column} <> ''" for column in EMPTIED_TEXTS),
            *(f"OLD.{column} {distinct} NEW.{column}" for column in EMPTYING_KEEPS),
        )
    )
    return _but_for(vendor, CLASSIFICATION_TABLE, EMPTYING_FUNCTION, wrong)


def statements(vendor: str) -> list[str]:
    """The SQL of every seal of this room as it stands after all migrations."""
    plain = (table for table in ALL_SEALED_TABLES if table not in (FACT_TABLE, CLASSIFICATION_TABLE))
    return [
        *(line for table in plain for line in seal_statements(vendor, table)),
        *fact_seal_statements(vendor),
        *classification_seal_statements(vendor),
    ]


def removal(vendor: str) -> list[str]:
    """The SQL that takes all of them off."""
    return [line for table in ALL_SEALED_TABLES for line in unseal_statements(vendor, table)]


SEALED_TABLES = ("incidents_journalentry", "incidents_fact", "incidents_peoplecount")
# What a person decided about the law, and the law that was relied on.
SEALED_LAW_TABLES = ("incidents_ruledecision", "compliance_lawrelease")
# What a person adopted of a severity or classification, on which answers and with which working.
SEALED_CLASSIFICATION_TABLES = ("incidents_classification",)
ALL_SEALED_TABLES = SEALED_TABLES + SEALED_LAW_TABLES + SEALED_CLASSIFICATION_TABLES
