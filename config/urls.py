"""All addresses."""

from django.urls import include, path
from django.views.i18n import set_language

from config import api, health
from incidents import access

public = access.decides("public")

urlpatterns = [
    path("accounts/", include("config.accounts_urls")),
    path("i18n/setlang/", public(set_language), name="set_language"),
    path("health", public(health.health), name="health"),
    path("api/v1/", api.urls()),
    path("api/v1/<path:rest>", access.decides("api")(api.nothing)),
    path("", include("incidents.urls")),
    path("", include("incidents.urls_access")),
    path("", include("incidents.urls_admin")),
    path("", include("reports.urls")),
]
