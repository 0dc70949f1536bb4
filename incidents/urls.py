"""Addresses of incidents."""

from django.urls import path

from incidents import (
    display,
    views,
    views_absence,
    views_ack,
    views_board,
    views_calculator,
    views_channels,
    views_incident,
    views_law,
    views_list,
    views_overview,
    views_redaction,
    views_score,
    views_search,
    views_systems,
    views_tokens,
)
from incidents.views_export import export

app_name = "incidents"
urlpatterns = [
    path("", views_board.board, name="board"),
    path("board/clocks/", views_board.clocks, name="clocks"),
    path("board/clocks.<str:kind>", views_board.export, name="clocks_export"),
    path("overview/", views_overview.manager, name="overview"),
    path("display/", display.settings, name="display"),
    path("report/", views.report, name="report"),
    path("incidents/", views_list.incident_list, name="list"),
    path("incidents/<str:code>/", views.incident, name="incident"),
    path("incidents/<str:code>/effect/", views_incident.effect, name="effect"),
    path("incidents/<str:code>/journal/", views_incident.whole_journal, name="journal"),
    path("search/", views_search.search, name="search"),
    path("incidents/<str:code>/systems/", views_systems.systems, name="systems"),
    path("incidents/<str:code>/systems.csv", views_systems.export, name="systems_export"),
    path("incidents/<str:code>/systems/import/", views_systems.bring, name="systems_import"),
    path("incidents/<str:code>/systems/import/<int:number>/", views_systems.imported, name="systems_imported"),
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
    path("law/calculate/", views_calculator.calculate, name="calculate"),
    path("law/days-off/", views_law.days_off, name="days_off"),
    path("law/<str:key>/", views_law.rule, name="rule"),
    path("incidents/<str:code>/export/", export, name="export"),
]
