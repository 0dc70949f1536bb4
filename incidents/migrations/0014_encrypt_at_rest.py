"""Addresses, secrets, words of messages, facts and evidence are encrypted at rest; rows that are there are sealed now."""

from django.db import migrations

import compliance.fields
from compliance import rekey
from compliance.library import get_library
from incidents.sealed import FACT_TABLE, fact_seal_statements, unseal


def lift(apps, schema_editor):
    unseal(schema_editor, (FACT_TABLE,))


def restore(apps, schema_editor):
    for statement in fact_seal_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def encrypt(apps, schema_editor):
    facts = apps.get_model("incidents", "Fact")
    known = get_library().facts
    structured = [name for name, definition in known.items() if definition.type != "text"]
    spared = set(facts.objects.filter(name__in=structured).values_list("pk", flat=True))
    for column in rekey.columns(apps):
        if column.model._meta.app_label == "incidents":
            mixed = column.model is facts and column.field.name == "value"
            for _changed in rekey.reseal(column, plain=lambda pk, mixed=mixed: not (mixed and pk in spared)):
                pass


class Migration(migrations.Migration):
    dependencies = [("incidents", "0013_board_counts")]

    operations = [
        migrations.RunPython(lift, restore),
        migrations.AlterField("endpoint", "target", compliance.fields.EncryptedTextField(verbose_name="address")),
        migrations.AlterField("endpoint", "secret", compliance.fields.EncryptedTextField(blank=True, max_length=120)),
        migrations.AlterField("outboxmessage", "body", compliance.fields.EncryptedTextField()),
        migrations.AlterField("outboxmessage", "html", compliance.fields.EncryptedTextField(blank=True)),
        migrations.AlterField("fact", "value", compliance.fields.EncryptedJSONField(null=True, when="personal")),
        migrations.AlterField("fact", "label", compliance.fields.EncryptedTextField(blank=True, max_length=300)),
        migrations.AlterField(
            "fact", "source", compliance.fields.EncryptedTextField(blank=True, max_length=500, verbose_name="source")
        ),
        migrations.AlterField("fact", "note", compliance.fields.EncryptedTextField(blank=True, verbose_name="reason")),
        migrations.AlterField(
            "evidence",
            "description",
            compliance.fields.EncryptedTextField(blank=True, verbose_name="description"),
        ),
        migrations.AlterField(
            "evidence",
            "location",
            compliance.fields.EncryptedTextField(blank=True, max_length=300, verbose_name="where it is"),
        ),
        migrations.AlterField("evidence", "settled_note", compliance.fields.EncryptedTextField(blank=True)),
        migrations.RunPython(encrypt, migrations.RunPython.noop),
        migrations.RunPython(restore, lift),
    ]
