"""Database triggers that refuse to change a filing's frozen content, a document, an approval or a signature."""

from collections.abc import Sequence

from incidents.sealed import resealed, seal_statements, unseal_statements

FILING = "reports_filing"
DOCUMENT = "reports_document"
TABLES = (DOCUMENT, "reports_approval", "reports_signature")
FIRST_COLUMNS = (
    "statement",
    "statement_digest",
    "document_id",
    "values",
    "form",
    "form_version",
    "frozen_at",
    "entity_id",
    "incident_id",
)
THIRD_COLUMNS = (*FIRST_COLUMNS, "drawn_with")
FROZEN_COLUMNS = (*THIRD_COLUMNS, "language")
# Encrypted at rest; whether a new key left the words alone, the statement's digest says.
ENCRYPTED = ("values", "statement")
MESSAGE = "a frozen filing is never changed or deleted"


def statements(vendor: str, *, columns: Sequence[str] = FROZEN_COLUMNS, tables: Sequence[str] = TABLES) -> list[str]:
    """The SQL that seals frozen filings in ``columns``, and ``tables`` whole."""
    whole = [line for table in tables for line in seal_statements(vendor, table)]
    if vendor == "postgresql":
        changed = " OR ".join(_changed(column, "IS DISTINCT FROM") for column in columns)
        return [
            *whole,
            "CREATE OR REPLACE FUNCTION breachclock_frozen_filing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF OLD.document_id IS NOT NULL AND (TG_OP = 'DELETE' OR {changed}) THEN "
            f"RAISE EXCEPTION '{MESSAGE}'; END IF; "
            "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$",
            f"CREATE TRIGGER {FILING}_frozen BEFORE UPDATE OR DELETE ON {FILING} FOR EACH ROW "
            "EXECUTE FUNCTION breachclock_frozen_filing()",
        ]
    changed = " OR ".join(_changed(column, "IS NOT") for column in columns)
    return [
        *whole,
        f"CREATE TRIGGER {FILING}_frozen_update BEFORE UPDATE ON {FILING} WHEN OLD.document_id IS NOT NULL AND ({changed}) "
        f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
        f"CREATE TRIGGER {FILING}_frozen_delete BEFORE DELETE ON {FILING} WHEN OLD.document_id IS NOT NULL "
        f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    ]


def _changed(column: str, distinct: str) -> str:
    """SQL that holds where ``column`` changed otherwise than by a new key of encryption."""
    differs = f'OLD."{column}" {distinct} NEW."{column}"'
    return f"({differs} AND NOT ({resealed(column, json=True)}))" if column in ENCRYPTED else f"({differs})"


def removal(vendor: str, *, tables: Sequence[str] = TABLES) -> list[str]:
    """The SQL that takes the seals off."""
    whole = [line for table in tables for line in unseal_statements(vendor, table)]
    if vendor == "postgresql":
        return [*whole, f"DROP TRIGGER IF EXISTS {FILING}_frozen ON {FILING}"]
    return [
        *whole,
        *(f"DROP TRIGGER IF EXISTS {FILING}_frozen_{verb}" for verb in ("update", "delete")),
    ]
