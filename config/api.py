"""``/api/v1/``: the routers of the rooms below, one way to refuse, one way to count requests."""

import logging
import math
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.renderers import JSONRenderer

from compliance.engine import EngineError
from compliance.errors import ClockError, Refused
from incidents import access
from incidents.api import duties, facts, incidents, law
from incidents.api.callers import TooMany, WrongScope
from incidents.api.problems import CSRF, faults, problem, refused
from incidents.api.reading import StrictParser
from incidents.api.repeats import IDEMPOTENCY, WrongVersion
from reports.api import filings, moves

logger = logging.getLogger("breachclock.api")

DESCRIPTION = """The same services as the pages, over HTTP. Texts of the law and words of state come in Korean and English;
refusals in the language of `Accept-Language`. Instants are ISO 8601 with offset. See docs/api.md."""


class Renderer(JSONRenderer):
    """Korean letters as they are."""

    json_dumps_params = {"ensure_ascii": False}


class Api(NinjaAPI):
    """Answers are for one person and are kept nowhere."""

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        """The answer that will be filled."""
        response = super().create_temporal_response(request)
        response["Cache-Control"] = "private, no-store"
        return response

    def get_openapi_schema(self, **options: Any) -> Any:
        """The document as it really is: refusals, files, headers."""
        return describe(super().get_openapi_schema(**options))


api = Api(
    title="Breachclock",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    renderer=Renderer(),
    parser=StrictParser(),
)
for router in (incidents.router, facts.router, duties.router, law.router, filings.router, moves.router):
    api.add_router("", router)


@api.exception_handler(Refused)
def _refused(request: HttpRequest, error: Refused) -> HttpResponse:
    return refused(error)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return faults(error.errors)


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem(404)


@api.exception_handler(PermissionDenied)
def _denied(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return problem(403)


@api.exception_handler(WrongScope)
def _scope(request: HttpRequest, error: WrongScope) -> HttpResponse:
    return problem(403, code="wrong_scope", detail=_("This token was not made for this."), value=str(error.scope))


@api.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return problem(401)


@api.exception_handler(TooMany)
def _too_many(request: HttpRequest, error: TooMany) -> HttpResponse:
    response = problem(429)
    response["Retry-After"] = str(math.ceil(error.wait or 1))
    return response


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    if error.status_code == 403:
        return problem(403, code="csrf", detail=CSRF, field="X-CSRFToken")
    return problem(error.status_code)


@api.exception_handler(WrongVersion)
def _version(request: HttpRequest, error: WrongVersion) -> HttpResponse:
    if error.missing:
        return problem(428, detail=_("Send the ETag you read in the header If-Match."), field="If-Match")
    words = _("Somebody changed it since you read it. Read it again, compare, and send your change with the new ETag.")
    response = problem(412, code="edition_conflict", detail=words, field="If-Match")
    response["ETag"] = error.tag
    return response


@api.exception_handler(RequestDataTooBig)
def _too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return problem(413)


@api.exception_handler(SuspiciousOperation)
def _suspicious(request: HttpRequest, error: SuspiciousOperation) -> HttpResponse:
    return problem(400)


@api.exception_handler(EngineError)
@api.exception_handler(ClockError)
def _engine(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(422, code="invalid")


@api.exception_handler(Exception)
def _broken(request: HttpRequest, error: Exception) -> HttpResponse:
    """A fault of ours: noted with its traceback, told without."""
    logger.error(
        "%s %s", request.method, request.resolver_match.route if request.resolver_match else "", exc_info=error
    )
    return problem(500)


def nothing(request: HttpRequest, rest: str = "") -> HttpResponse:
    """An address below the API that does not exist."""
    return problem(404)


PROBLEM = "application/problem+json"
FILES = {
    "filing_pdf": "application/pdf",
    "signed_pdf": "application/pdf",
    "proof": "application/octet-stream",
    "export": "application/zip",
}
IDEMPOTENT = frozenset({"incident_report", "filing_start", "filing_send", "request_record"})
VERSIONED = frozenset(
    {"filing_edit", "filing_review", "filing_return", "filing_approve", "filing_freeze", "filing_withdraw"}
    | {"filing_submit", "filing_sign", "filing_privilege"}
)


def describe(schema: Any) -> Any:
    """The document with what the library cannot know: the media types of refusals and files, the headers that are read."""
    for path in schema["paths"].values():
        for operation in path.values():
            _describe(operation)
    return schema


def _describe(operation: dict[str, Any]) -> None:
    name = operation["operationId"]
    for status, answer in operation["responses"].items():
        if int(status) >= 400 and "content" in answer:
            answer["content"] = {PROBLEM: answer["content"].pop("application/json")}
    if name in FILES:
        operation["responses"][200]["content"] = {FILES[name]: {"schema": {"type": "string", "format": "binary"}}}
    if name in IDEMPOTENT:
        operation["parameters"].append(_header(IDEMPOTENCY, "the same for a request that is sent again"))
    if name in VERSIONED:
        operation["parameters"].append(_header("If-Match", "the ETag that was read"))


def _header(name: str, words: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": 200}
    return {"in": "header", "name": name, "required": False, "description": words, "schema": schema}


View = Callable[..., HttpResponse]


def _worded(view: View) -> View:
    """A method that an address does not take is refused as everything else is."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **given: Any) -> HttpResponse:
        response = view(request, *args, **given)
        if response.status_code != 405:
            return response
        refusal = problem(405)
        refusal["Allow"] = response.get("Allow", "")
        return refusal

    return answer


def urls() -> Any:
    """Every address of the API; each asks by itself who calls."""
    patterns, app, namespace = api.urls
    for pattern in patterns:
        view = nothing if pattern.name == "api-root" else _worded(pattern.callback)
        pattern.callback = access.decides("own" if pattern.name == "openapi-view" else "api")(view)
    return patterns, app, namespace
