"""Who was asked to review, what an approval overrode, and the language of a document; the seals are put back over it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from reports import sealed


def _run(schema_editor, statements):
    for statement in statements:
        schema_editor.execute(statement)


def lift(apps, schema_editor):
    _run(schema_editor, sealed.removal(schema_editor.connection.vendor))


def seal_as_before(apps, schema_editor):
    _run(schema_editor, sealed.statements(schema_editor.connection.vendor, columns=sealed.THIRD_COLUMNS))


def seal(apps, schema_editor):
    _run(schema_editor, sealed.statements(schema_editor.connection.vendor))


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0003_review_and_channels"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(lift, seal_as_before),
        migrations.AddField(
            model_name="approval",
            name="comments_reason",
            field=models.TextField(blank=True, verbose_name="reason"),
        ),
        migrations.AddField(
            model_name="approval",
            name="open_comments",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="filing",
            name="language",
            field=models.CharField(blank=True, max_length=5, verbose_name="language"),
        ),
        migrations.CreateModel(
            name="ReviewRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("round", models.PositiveIntegerField()),
                ("asked_at", models.DateTimeField()),
                ("note", models.TextField(blank=True, verbose_name="note")),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "filing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="review_requests", to="reports.filing"
                    ),
                ),
                (
                    "instead_of",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="passed_on",
                        to="reports.reviewrequest",
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ("asked_at", "pk"),
                "constraints": [
                    models.UniqueConstraint(fields=("filing", "round", "reviewer"), name="review_asked_once_a_round")
                ],
            },
        ),
        migrations.RunPython(seal, lift),
    ]
