"""Addresses of filings."""

from django.urls import path

from reports import selectors, views, views_monthly  # noqa: F401  the selectors tell the board of filings

app_name = "reports"
urlpatterns = [
    path("overview/monthly.pdf", views_monthly.monthly, name="monthly"),
    path("incidents/<str:code>/filings/", views.start, name="start"),
    path("incidents/<str:code>/filings/<int:number>/", views.filing, name="filing"),
    path("incidents/<str:code>/filings/<int:number>/document.pdf", views.pdf, name="pdf"),
    path("incidents/<str:code>/filings/<int:number>/proof", views.proof, name="proof"),
    path("incidents/<str:code>/filings/<int:number>/signed.pdf", views.signed, name="signed"),
    path("incidents/<str:code>/filings/<int:number>/statement.json", views.statement_json, name="statement"),
    path("incidents/<str:code>/filings/<int:number>/machine.json", views.machine_readable, name="machine"),
    path("incidents/<str:code>/filings/<int:number>/by-hand/", views.by_hand, name="by_hand"),
    path("incidents/<str:code>/public-statements/", views.public_statements, name="public_statements"),
]
