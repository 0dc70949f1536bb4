"""The database itself refuses to change a frozen filing or a document."""

from django.db import migrations

from reports import sealed


def forwards(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for statement in sealed.statements(vendor, columns=sealed.FIRST_COLUMNS, tables=(sealed.DOCUMENT,)):
        schema_editor.execute(statement)


def backwards(apps, schema_editor):
    for statement in sealed.removal(schema_editor.connection.vendor, tables=(sealed.DOCUMENT,)):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("reports", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
