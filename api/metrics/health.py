"""`/healthz`: the process answers. `/readyz`: a job can be taken and somebody works."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag

from api.http import answers
from api.http.facts import PUBLIC, facts
from api.metrics import schemas
from api.service.parts import Parts
from shared import errors, jobs, workers

TAG = Tag(name="health", description="For load balancers and supervisors.")


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint("health", __name__, abp_tags=[TAG], abp_responses=answers.ERRORS)

    @routes.get("/healthz", operation_id="healthz", summary="The process answers", responses={200: schemas.Health})
    @facts(PUBLIC, is_quiet=True)
    def healthz() -> Response:
        """Looks at nothing but the process itself."""
        return jsonify({"status": "ok", "version": version("ocrelay")})

    @routes.get(
        "/readyz",
        operation_id="readyz",
        summary="A job can be taken",
        responses={200: schemas.Readiness, 503: schemas.Readiness},
    )
    @facts(PUBLIC, is_quiet=True)
    def readyz() -> Response:
        """Looks at the database and for a worker child that was heard of lately."""
        body = readiness(parts)
        response = jsonify(body)
        response.status_code = 200 if body["status"] == "ready" else 503
        return response

    return routes


def readiness(parts: Parts) -> dict[str, object]:
    """Each part and what is wrong with it."""
    try:
        with parts.database.read() as connection:
            children, faulty = workers.live_children(connection), workers.faulty_children(connection)
            backlog = jobs.backlog(connection)
    except errors.DatabaseUnavailable as error:
        return {"status": "unready", "checks": {"database": error.message}, "workers": 0, "backlog": None, "models": []}
    return {
        "status": "ready" if children else "unready",
        "checks": {"database": "ok", "workers": _working(children, faulty)},
        "workers": len(children),
        "backlog": backlog,
        "models": active_models(children),
    }


def _working(children: Sequence[workers.WorkerChild], faulty: Sequence[workers.WorkerChild]) -> str:
    if faulty:
        of = f"{len(faulty)} of {len(children) + len(faulty)} worker children"
        first = faulty[0]
        return f"{of} cannot open the model and take no job. Run `ocrelay doctor` on {first.host}: {first.fault}"
    return "ok" if children else "No worker was heard of lately. Start one with `ocrelay worker`; jobs wait meanwhile."


def active_models(children: Sequence[workers.WorkerChild]) -> list[dict[str, object]]:
    """The models of the worker children: what finds the lines, what reads every line, and the stronger ones."""
    finding = Counter(
        ("finds", child.detector, child.detector_version) for child in children if child.detector is not None
    )
    reading = Counter(("reads", child.model, child.model_version) for child in children)
    stronger = Counter(
        ("stronger", child.stronger, child.stronger_version) for child in children if child.stronger is not None
    )
    return [
        {"name": name, "version": version, "role": role, "workers": count}
        for (role, name, version), count in sorted((finding + reading + stronger).items())
    ]
