"""All addresses."""

from django.contrib.auth import views as auth
from django.urls import include, path

from config import health

urlpatterns = [
    path("accounts/login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("health", health.health, name="health"),
    path("", include("incidents.urls")),
    path("", include("reports.urls")),
]
