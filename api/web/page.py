"""How every page is answered: its frame, its policy, its errors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from api.access import visitors
from api.http import caller, problems, request_log
from api.http.problems import document, problem
from api.service.caller import Caller
from api.service.parts import Parts
from api.web import languages, navigation, words
from shared import clock, errors
from shared.clock import timestamp

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Nothing inline, nothing from elsewhere; the style sheet brings its icons as `data:` URIs."""
THEME_COOKIE = "ocrelay_theme"
THEMES = ("auto", "light", "dark")
HTMX_ERROR = {"HX-Retarget": "#problem", "HX-Reswap": "innerHTML"}
"""Where a part of a page was asked for, an error has its own place."""


def register(pages: Blueprint, parts: Parts, files: str) -> None:
    """Give the templates what they all need, and every answer its headers."""

    @pages.context_processor
    def frame() -> dict[str, Any]:
        return frame_of(caller.current())

    def frame_of(client: Caller) -> dict[str, Any]:
        language = languages.chosen()
        return {
            "files": files,
            "language": language,
            "language_tag": languages.TAGS[language],
            "other_language": next((code, name) for code, name in languages.NAMES.items() if code != language),
            "theme": theme(),
            "next_theme": THEMES[(THEMES.index(theme()) + 1) % len(THEMES)],
            "client": client,
            "may": lambda scope: navigation.may(client, scope),
            "entries": navigation.entries_for(client) if has_entry(client) else [],
            "form_token": visitors.form_token(),
            "owner": visitors.owner(client),
            "here": here(),
            "words": words,
            "timestamp": timestamp,
            "now": clock.now(),
        }

    @pages.before_request
    def check() -> None:
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            visitors.check_form(request)

    @pages.after_request
    def finish(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.headers.setdefault("Content-Security-Policy", POLICY)
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers.setdefault("Referrer-Policy", "same-origin")  # with none, forms come from `Origin: null`
        return visitors.keep(response, parts.settings)

    def framed(problem: dict[str, Any]) -> Response | None:
        """The page of an error that no page answers for: nothing is at the address, or something broke."""
        if request.blueprint == pages.name:
            return of_problem(problem)
        if request.url_rule is None:
            return finish(of_problem(problem, **frame_of(visitor_of(parts))))
        return None

    pages.register_error_handler(errors.OcrelayError, of_error)
    pages.register_error_handler(HTTPException, of_http)
    pages.record_once(lambda state: state.app.extensions.update({problems.FRAMED: framed}))


def has_entry(client: Caller) -> bool:
    """Whether somebody is inside: signed in, or there are no keys; not, while nobody knows."""
    try:
        return client.key is not None or visitors.ring().is_empty()
    except errors.DatabaseUnavailable:
        return False


def visitor_of(parts: Parts) -> Caller:
    """Who asks, also at an address of which nothing is known: there nobody has looked whether somebody is signed in."""
    client = caller.current()
    try:
        return replace(client, key=client.key or visitors.key_of(request, visitors.ring(), parts))
    except errors.DatabaseUnavailable:
        return client


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page, or a part of one."""
    return Response(render_template(template, **values), status, mimetype="text/html")


def is_part() -> bool:
    """Whether htmx asks, which wants a part of a page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-History-Restore-Request") != "true"


def is_script() -> bool:
    """Whether a script of ours asks, which reads errors as JSON, or a stream of events, which follows to no page."""
    if request.headers.get("Accept") == "text/event-stream":
        return True
    return request.accept_mimetypes.best_match(["text/html", "application/problem+json"]) == "application/problem+json"


def theme() -> str:
    """Light, dark, or as the system says."""
    found = request.cookies.get(THEME_COOKIE, "")
    return found if found in THEMES else THEMES[0]


def here() -> str:
    """The address of this page with its query, for the way back; of a change or a part, that of the page that asks."""
    if request.method == "GET" and not is_part():
        return request.full_path.rstrip("?")
    return local(request.form.get("next")) or local(came_from()) or "/"


def came_from() -> str | None:
    """The address of the page of ours that asks."""
    try:
        parts = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    except ValueError:
        return None
    return f"{parts.path}?{parts.query}".rstrip("?") if parts.netloc == request.host else None


def local(address: str | None) -> str | None:
    """The address, if it is one of this site: nobody is led away by a link to us."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")) or "\\" in address:
        return None
    parts = urlsplit(address)
    return None if parts.scheme or parts.netloc or not address.isprintable() else address


def see(address: str) -> Response:
    """Go on to another page after a change; htmx follows it as a browser does."""
    if is_part():
        return Response(status=204, headers={"HX-Redirect": address})
    return redirect(address, 303)  # type: ignore[return-value]


def of_error(error: errors.OcrelayError) -> Response:
    """Our own errors as a page, as a part of one, or for a script; who must sign in is led there."""
    if isinstance(error, errors.NotSignedIn):
        way = url_for("web.sign_in", next=here())
        if is_part():
            return Response(status=401, headers={"HX-Redirect": way})
        if not is_script():
            return redirect(way, 303)  # type: ignore[return-value]
    if is_script():
        told = words.error_detail(error.to_json())
        return problem(error, title_shown=words.error_title(error.code), detail_shown=told)
    request_log.note_code(request.environ, error.code)
    body, headers = document(error, instance=request.path)
    answer = of_problem(body)
    answer.headers.extend(headers)
    return answer


def of_http(error: HTTPException) -> Response:
    """What Flask and Werkzeug refuse of a page."""
    return problems.of_http(error) if (error.code or 500) < 400 else of_error(problems.ours(error))


def of_problem(problem: dict[str, Any], **frame: Any) -> Response:
    """The page of a problem document, or the part of one."""
    template = "_problem.html" if is_part() else "problem_page.html"
    answer = page(template, problem["status"], problem=problem, **frame)
    answer.headers.extend(HTMX_ERROR if is_part() else {})
    return answer
