"""Parts of words are found quickly in titles and names, where PostgreSQL has pg_trgm; elsewhere they are found all the same."""

from django.db import DatabaseError, migrations, transaction

# As Django's icontains asks: UPPER(column::text) LIKE UPPER(...).
COLUMNS = (
    ("incidents_incident", "title"), ("incidents_incident", "summary"), ("incidents_affectedsystem", "name"),
    ("incidents_affectedsystem", "address"), ("incidents_journalentry", "subject"),
)  # fmt: skip


def add(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError:
        return  # not installed, or not ours to install: the database reads every row instead
    for table, column in COLUMNS:
        schema_editor.execute(
            f"CREATE INDEX IF NOT EXISTS {table}_{column}_parts ON {table} USING gin (UPPER({column}::text) gin_trgm_ops)"
        )


def remove(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table, column in COLUMNS:
            schema_editor.execute(f"DROP INDEX IF EXISTS {table}_{column}_parts")


class Migration(migrations.Migration):
    dependencies = (("incidents", "0015_systems_in_bulk"),)
    operations = (migrations.RunPython(add, remove),)
