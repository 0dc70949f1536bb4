"""What a person decided about the law, and the law that was relied on, are never changed either."""

from django.db import migrations

from incidents.sealed import seal, unseal

TABLES = ("incidents_ruledecision", "compliance_lawrelease")


def forwards(apps, schema_editor):
    seal(schema_editor, TABLES)


def backwards(apps, schema_editor):
    unseal(schema_editor, TABLES)


class Migration(migrations.Migration):
    dependencies = [("incidents", "0003_world_law"), ("compliance", "0002_world_law")]
    operations = [migrations.RunPython(forwards, backwards)]
