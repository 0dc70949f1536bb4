"""What a person decided about the law, and the law that was relied on, are never changed either."""

from django.db import migrations

from incidents.sealed import SEALED_LAW_TABLES, seal, unseal


def forwards(apps, schema_editor):
    seal(schema_editor, SEALED_LAW_TABLES)


def backwards(apps, schema_editor):
    unseal(schema_editor, SEALED_LAW_TABLES)


class Migration(migrations.Migration):
    dependencies = [("incidents", "0003_world_law"), ("compliance", "0002_world_law")]
    operations = [migrations.RunPython(forwards, backwards)]
