"""The database itself refuses to change or delete journal entries, facts and counts."""

from django.db import migrations

from incidents.sealed import SEALED_TABLES, seal, unseal


def forwards(apps, schema_editor):
    seal(schema_editor, SEALED_TABLES)


def backwards(apps, schema_editor):
    unseal(schema_editor, SEALED_TABLES)


class Migration(migrations.Migration):
    dependencies = [("incidents", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
