"""Review by two, comments, channels, requests, signatures; the seals are put back over the new columns."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from reports import sealed


def _run(schema_editor, statements):
    for statement in statements:
        schema_editor.execute(statement)


def lift(apps, schema_editor):
    _run(schema_editor, sealed.removal(schema_editor.connection.vendor, tables=(sealed.DOCUMENT,)))


def seal_first(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    _run(schema_editor, sealed.statements(vendor, columns=sealed.FIRST_COLUMNS, tables=(sealed.DOCUMENT,)))


def seal(apps, schema_editor):
    _run(schema_editor, sealed.statements(schema_editor.connection.vendor, columns=sealed.THIRD_COLUMNS))


def lift_all(apps, schema_editor):
    _run(schema_editor, sealed.removal(schema_editor.connection.vendor))


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0008_escalation"),
        ("reports", "0002_seal_what_was_filed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(lift, seal_first),
        migrations.AddField(
            model_name="filing",
            name="drawn_with",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="filing",
            name="privileged",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="filing",
            name="round",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.CreateModel(
            name="FieldComment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("field", models.CharField(max_length=60)),
                ("text", models.TextField(verbose_name="comment")),
                ("privileged", models.BooleanField(default=False)),
                ("at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(null=True)),
                (
                    "answers",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replies",
                        to="reports.fieldcomment",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "filing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="comments", to="reports.filing"
                    ),
                ),
                (
                    "resolved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("at", "pk"),
            },
        ),
        migrations.CreateModel(
            name="InformationRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField(verbose_name="what is asked")),
                ("received_at", models.DateTimeField(verbose_name="received at")),
                ("due_at", models.DateTimeField(null=True, verbose_name="to be answered by")),
                ("recorded_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("answer", models.TextField(blank=True)),
                ("request_key", models.CharField(max_length=64, null=True, unique=True)),
                (
                    "answered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="incidents.fact"
                    ),
                ),
                (
                    "filing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="requests", to="reports.filing"
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ("received_at", "pk"),
            },
        ),
        migrations.CreateModel(
            name="PublicStatement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("published_at", models.DateTimeField(verbose_name="published at")),
                ("figures", models.JSONField(default=dict)),
                (
                    "evidence",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="public_statement",
                        to="incidents.evidence",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Signature",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.CharField(max_length=300)),
                ("fingerprint", models.CharField(max_length=64)),
                ("signed_at", models.DateTimeField()),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reports.document"
                    ),
                ),
                (
                    "filing",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="signature", to="reports.filing"
                    ),
                ),
                (
                    "signed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("round", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                ("conflicts", models.JSONField(default=list)),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "filing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="approvals", to="reports.filing"
                    ),
                ),
                (
                    "standing_for",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("at", "pk"),
                "constraints": [
                    models.UniqueConstraint(fields=("filing", "round", "by"), name="approval_once_a_round")
                ],
            },
        ),
        migrations.CreateModel(
            name="Dispatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("channel", models.CharField(max_length=40)),
                ("target", models.CharField(max_length=254)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting to be sent"),
                            ("sending", "Being sent"),
                            ("sent", "Sent"),
                            ("uncertain", "Uncertain: sent or not?"),
                            ("not_sent", "Not sent"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("request_key", models.CharField(max_length=64, unique=True)),
                ("requested_at", models.DateTimeField()),
                ("begun_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("error", models.CharField(blank=True, max_length=300)),
                ("resolution", models.TextField(blank=True)),
                (
                    "filing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="dispatches", to="reports.filing"
                    ),
                ),
                (
                    "message",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="dispatch",
                        to="incidents.outboxmessage",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "resolved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("requested_at", "pk"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "not_sent"), _negated=True),
                        fields=("filing",),
                        name="one_dispatch_that_may_have_left",
                    )
                ],
            },
        ),
        migrations.RunPython(seal, lift_all),
    ]
