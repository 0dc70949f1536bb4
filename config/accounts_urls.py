"""Addresses of signing in. Those of allauth that this site uses, each with how it decides; no others."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as keys
from allauth.socialaccount import views as social
from allauth.socialaccount.providers.openid_connect import views as openid
from allauth.socialaccount.providers.saml import views as saml
from django.contrib.auth import views as auth
from django.http import HttpRequest, HttpResponse
from django.urls import path, register_converter
from django.urls.converters import StringConverter
from django.views.decorators.cache import never_cache

from config import accounts_views as own
from incidents import access

public, mine = access.decides("public"), access.decides("own")


class Base36(StringConverter):
    """The number of an account in a link, which ends at the first hyphen."""

    regex = "[0-9A-Za-z]+"


register_converter(Base36, "base36")


def signup(request: HttpRequest) -> HttpResponse:
    """Nobody makes an account for himself; allauth wants the name of the address."""
    return own.closed(request)


urlpatterns = [
    # Two names for each: the rest of the site's, and allauth's.
    path("login/", public(account.login), name="login"),
    path("login/", public(account.login), name="account_login"),
    path("logout/", public(auth.LogoutView.as_view()), name="logout"),
    path("logout/", public(auth.LogoutView.as_view()), name="account_logout"),
    path("signup/", public(signup), name="account_signup"),
    path("inactive/", public(account.account_inactive), name="account_inactive"),
    path("password/reset/", public(account.password_reset), name="account_reset_password"),
    path("password/reset/done/", public(account.password_reset_done), name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        public(account.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    path(
        "password/reset/key/<base36:uidb36>-<str:key>/",
        access.decides("token")(never_cache(account.password_reset_from_key)),
        name="account_reset_password_from_key",
    ),
    path("password/change/", mine(account.password_change), name="account_change_password"),
    path("password/set/", mine(own.no_password), name="account_set_password"),
    path("reauthenticate/", mine(account.reauthenticate), name="account_reauthenticate"),
    path("sessions/", mine(own.sessions), name="usersessions_list"),
    # The second factor.
    path("2fa/", mine(mfa.index), name="mfa_index"),
    path("2fa/authenticate/", public(mfa.authenticate), name="mfa_authenticate"),
    path("2fa/reauthenticate/", mine(mfa.reauthenticate), name="mfa_reauthenticate"),
    path("2fa/totp/activate/", mine(never_cache(totp.activate_totp)), name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", mine(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("2fa/recovery-codes/", mine(never_cache(codes.view_recovery_codes)), name="mfa_view_recovery_codes"),
    path("2fa/recovery-codes/generate/", mine(codes.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path("2fa/recovery-codes/download/", mine(codes.download_recovery_codes), name="mfa_download_recovery_codes"),
    path("2fa/webauthn/", mine(keys.list_webauthn), name="mfa_list_webauthn"),
    path("2fa/webauthn/add/", mine(keys.add_webauthn), name="mfa_add_webauthn"),
    path("2fa/webauthn/reauthenticate/", mine(keys.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
    path("2fa/webauthn/keys/<int:pk>/remove/", mine(keys.remove_webauthn), name="mfa_remove_webauthn"),
    path("2fa/webauthn/keys/<int:pk>/edit/", mine(keys.edit_webauthn), name="mfa_edit_webauthn"),
    path("2fa/webauthn/login/", public(keys.login_webauthn), name="mfa_login_webauthn"),
    # Single sign-on.
    path("sso/cancelled/", public(social.login_cancelled), name="socialaccount_login_cancelled"),
    path("sso/error/", public(social.login_error), name="socialaccount_login_error"),
    path("sso/signup/", public(signup), name="socialaccount_signup"),
    path("oidc/<str:provider_id>/login/", public(openid.login), name="openid_connect_login"),
    path("oidc/<str:provider_id>/login/callback/", public(openid.callback), name="openid_connect_callback"),
    path("saml/<str:organization_slug>/login/", public(saml.login), name="saml_login"),
    path("saml/<str:organization_slug>/acs/", public(saml.acs), name="saml_acs"),
    path("saml/<str:organization_slug>/acs/finish/", public(saml.finish_acs), name="saml_finish_acs"),
    path("saml/<str:organization_slug>/metadata/", public(saml.metadata), name="saml_metadata"),
    # Only its address stands in the metadata; signing out here signs out of here.
    path("saml/<str:organization_slug>/sls/", public(own.gone), name="saml_sls"),
]
