"""Addresses of incidents."""

from django.urls import path

from incidents import views

app_name = "incidents"
urlpatterns = [
    path("", views.board, name="board"),
    path("report/", views.report, name="report"),
    path("incidents/", views.incident_list, name="list"),
    path("incidents/<str:code>/", views.incident, name="incident"),
    path("law/", views.law, name="law"),
    path("law/<str:key>/", views.rule, name="rule"),
]
