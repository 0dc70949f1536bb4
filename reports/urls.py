"""Addresses of reports."""

from django.urls import path

app_name = "reports"
urlpatterns: list = []
