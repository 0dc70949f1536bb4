"""Addresses of incidents."""

from django.urls import path

app_name = "incidents"
urlpatterns: list = [path("incidents/<str:code>/", lambda request, code: None, name="incident")]
