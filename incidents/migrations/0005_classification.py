"""What a person adopted of a severity or classification: only ever added."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from incidents.sealed import SEALED_CLASSIFICATION_TABLES, seal, unseal


def forwards(apps, schema_editor):
    seal(schema_editor, SEALED_CLASSIFICATION_TABLES)


def backwards(apps, schema_editor):
    unseal(schema_editor, SEALED_CLASSIFICATION_TABLES)


class Migration(migrations.Migration):
    dependencies = [
        ("compliance", "0002_world_law"),
        ("incidents", "0004_seal_law"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Classification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("method", models.CharField(max_length=40)),
                ("digest", models.CharField(max_length=64)),
                ("answers", models.JSONField()),
                ("proposal", models.JSONField()),
                ("chosen", models.CharField(max_length=40)),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
                ("adopted_at", models.DateTimeField()),
                (
                    "adopted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="compliance.entity"
                    ),
                ),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="classifications",
                        to="incidents.incident",
                    ),
                ),
            ],
            options={
                "ordering": ("adopted_at", "pk"),
            },
        ),
        migrations.RunPython(forwards, backwards),
    ]
