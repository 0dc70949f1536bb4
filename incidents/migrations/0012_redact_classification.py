"""Working papers of a classification can be redacted: that one change, and no other, the database allows."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from incidents.sealed import CLASSIFICATION_TABLE, classification_seal_statements, seal, unseal


def lift(apps, schema_editor):
    unseal(schema_editor, (CLASSIFICATION_TABLE,))


def restore(apps, schema_editor):
    """SQLite makes the table anew for the new columns, and the seal falls with the old one."""
    for statement in classification_seal_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def restore_before(apps, schema_editor):
    seal(schema_editor, (CLASSIFICATION_TABLE,))


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0011_access"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(lift, restore_before),
        migrations.AddField(
            "classification", "salt", models.CharField(blank=True, max_length=64, default=""), preserve_default=False
        ),
        migrations.AddField("classification", "redacted_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "classification",
            "redacted_by",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            "classification",
            "redaction_reason",
            models.TextField(blank=True, verbose_name="reason", default=""),
            preserve_default=False,
        ),
        migrations.RunPython(restore, lift),
    ]
