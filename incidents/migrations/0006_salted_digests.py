"""Digests get a salt, entries a version, and a fact can be redacted: that one change, and no other, the database allows."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from compliance.engine import digest
from incidents.sealed import FACT_TABLE, JOURNAL_TABLE, fact_seal_statements, seal, unseal


def lift(apps, schema_editor):
    unseal(schema_editor, (FACT_TABLE, JOURNAL_TABLE))


def restore(apps, schema_editor):
    """SQLite makes the tables anew for the new columns, and the seals fall with the old ones."""
    seal(schema_editor, (JOURNAL_TABLE,))
    for statement in fact_seal_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def restore_before(apps, schema_editor):
    seal(schema_editor, (FACT_TABLE, JOURNAL_TABLE))


def keep_digests(apps, schema_editor):
    """What the journal holds of the facts recorded so far, which had no salt, is put beside them."""
    facts = apps.get_model("incidents", "Fact").objects
    for fact in facts.order_by("pk").iterator():
        occurred = fact.occurred_at.isoformat() if fact.occurred_at else None
        content = {name: getattr(fact, name) for name in ("value", "label", "source", "note", "arguable", "documented")}
        facts.filter(pk=fact.pk).update(digest=digest({**content, "occurred_at": occurred}))


def nothing(apps, schema_editor):
    pass


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0005_classification"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(lift, restore_before),
        migrations.AddField(
            "fact", "salt", models.CharField(blank=True, max_length=64, default=""), preserve_default=False
        ),
        migrations.AddField(
            "fact", "digest", models.CharField(blank=True, max_length=64, default=""), preserve_default=False
        ),
        migrations.AddField("fact", "redacted_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "fact",
            "redacted_by",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            "fact",
            "redaction_reason",
            models.TextField(blank=True, verbose_name="reason", default=""),
            preserve_default=False,
        ),
        migrations.AddField("journalentry", "version", models.PositiveSmallIntegerField(default=1)),
        migrations.AddField(
            "journalentry", "salt", models.CharField(blank=True, max_length=64, default=""), preserve_default=False
        ),
        migrations.RunPython(keep_digests, nothing),
        migrations.RunPython(restore, lift),
    ]
