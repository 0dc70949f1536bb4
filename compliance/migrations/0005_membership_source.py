"""Who gave a role: a person, or an identity provider that takes it away again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("compliance", "0004_invitations")]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="source",
            field=models.CharField(blank=True, default="", max_length=40),
        ),
    ]
