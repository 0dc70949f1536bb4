"""Addresses of incidents."""

from django.urls import path

from incidents import (
    views,
    views_absence,
    views_ack,
    views_channels,
    views_law,
    views_redaction,
    views_score,
    views_tokens,
)
from incidents.views_export import export

app_name = "incidents"
urlpatterns = [
    path("", views.board, name="board"),
    path("report/", views.report, name="report"),
    path("incidents/", views.incident_list, name="list"),
    path("incidents/<str:code>/", views.incident, name="incident"),
    path("incidents/<str:code>/law/", views_law.law_review, name="law_review"),
    path("incidents/<str:code>/score/<str:method>/", views_score.score, name="score"),
    path("incidents/<str:code>/facts/<int:number>/redact/", views_redaction.redact, name="redact"),
    path("acknowledge/<str:token>/", views_ack.acknowledge, name="acknowledge"),
    path("absence/", views_absence.availability, name="availability"),
    path("incidents/<str:code>/messages/", views_channels.who_was_told, name="messages"),
    path("channels/", views_channels.my_channels, name="channels"),
    path("tokens/", views_tokens.tokens, name="tokens"),
    path("calendar/<str:token>.ics", views_channels.calendar, name="calendar"),
    path("law/", views_law.law, name="law"),
    path("law/days-off/", views_law.days_off, name="days_off"),
    path("law/<str:key>/", views_law.rule, name="rule"),
    path("incidents/<str:code>/export/", export, name="export"),
]
