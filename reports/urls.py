"""Addresses of filings."""

from django.urls import path

from reports import selectors, views  # noqa: F401  the selectors tell the board of filings

app_name = "reports"
urlpatterns = [
    path("incidents/<str:code>/filings/", views.start, name="start"),
    path("incidents/<str:code>/filings/<int:number>/", views.filing, name="filing"),
    path("incidents/<str:code>/filings/<int:number>/document.pdf", views.pdf, name="pdf"),
    path("incidents/<str:code>/filings/<int:number>/proof", views.proof, name="proof"),
]
