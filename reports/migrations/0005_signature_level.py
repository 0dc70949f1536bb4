"""How long a signature can be checked is kept with it; the seals are put back over it."""

from django.db import migrations, models

from reports import sealed


def _run(schema_editor, statements):
    for statement in statements:
        schema_editor.execute(statement)


def lift(apps, schema_editor):
    _run(schema_editor, sealed.removal(schema_editor.connection.vendor))


def seal(apps, schema_editor):
    _run(schema_editor, sealed.statements(schema_editor.connection.vendor))


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0004_review_language"),
    ]

    operations = [
        migrations.RunPython(lift, seal),
        migrations.AddField(
            model_name="signature",
            name="level",
            field=models.CharField(blank=True, max_length=5),
        ),
        migrations.RunPython(seal, lift),
    ]
