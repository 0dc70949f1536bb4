"""Addresses of incidents."""

from django.urls import path

from incidents import views, views_law, views_score

app_name = "incidents"
urlpatterns = [
    path("", views.board, name="board"),
    path("report/", views.report, name="report"),
    path("incidents/", views.incident_list, name="list"),
    path("incidents/<str:code>/", views.incident, name="incident"),
    path("incidents/<str:code>/law/", views_law.law_review, name="law_review"),
    path("incidents/<str:code>/score/<str:method>/", views_score.score, name="score"),
    path("law/", views_law.law, name="law"),
    path("law/days-off/", views_law.days_off, name="days_off"),
    path("law/<str:key>/", views_law.rule, name="rule"),
]
