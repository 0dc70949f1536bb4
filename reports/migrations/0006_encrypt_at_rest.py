"""Values, statements and remarks of filings are encrypted at rest; rows that are there are sealed now."""

from django.db import migrations

import compliance.fields
from compliance import rekey
from reports import sealed


def _run(schema_editor, statements):
    for statement in statements:
        schema_editor.execute(statement)


def lift(apps, schema_editor):
    _run(schema_editor, sealed.removal(schema_editor.connection.vendor))


def seal(apps, schema_editor):
    _run(schema_editor, sealed.statements(schema_editor.connection.vendor))


def encrypt(apps, schema_editor):
    for column in rekey.columns(apps):
        if column.model._meta.app_label == "reports":
            for _changed in rekey.reseal(column, plain=lambda pk: True):
                pass


class Migration(migrations.Migration):
    dependencies = [("reports", "0005_signature_level"), ("incidents", "0014_encrypt_at_rest")]

    operations = [
        migrations.RunPython(lift, seal),
        migrations.AlterField("filing", "values", compliance.fields.EncryptedJSONField(default=dict)),
        migrations.AlterField("filing", "statement", compliance.fields.EncryptedJSONField(null=True)),
        migrations.AlterField("filing", "review_note", compliance.fields.EncryptedTextField(blank=True)),
        migrations.AlterField("submission", "note", compliance.fields.EncryptedTextField(blank=True)),
        migrations.AlterField("submission", "outcome_note", compliance.fields.EncryptedTextField(blank=True)),
        migrations.AlterField("fieldcomment", "text", compliance.fields.EncryptedTextField(verbose_name="comment")),
        migrations.AlterField(
            "informationrequest", "text", compliance.fields.EncryptedTextField(verbose_name="what is asked")
        ),
        migrations.AlterField("informationrequest", "answer", compliance.fields.EncryptedTextField(blank=True)),
        migrations.RunPython(encrypt, migrations.RunPython.noop),
        migrations.RunPython(seal, lift),
    ]
