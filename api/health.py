"""`/healthz`: the process answers. `/readyz`: a job can be taken and somebody works."""

from __future__ import annotations

from importlib.metadata import version

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag

from api import schemas
from api.service import Service
from shared import errors, jobs, workers

TAG = Tag(name="health", description="For load balancers and supervisors.")


def blueprint(service: Service) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint("health", __name__, abp_tags=[TAG], abp_responses=schemas.ERRORS)

    @routes.get("/healthz", operation_id="healthz", summary="The process answers", responses={200: schemas.Health})
    def healthz() -> Response:
        """Looks at nothing but the process itself."""
        return jsonify({"status": "ok", "version": version("ocrelay")})

    @routes.get(
        "/readyz",
        operation_id="readyz",
        summary="A job can be taken",
        responses={200: schemas.Readiness, 503: schemas.Readiness},
    )
    def readyz() -> Response:
        """Looks at the database and for a worker child that was heard of lately."""
        body = readiness(service)
        response = jsonify(body)
        response.status_code = 200 if body["status"] == "ready" else 503
        return response

    return routes


def readiness(service: Service) -> dict[str, object]:
    """Each part and what is wrong with it."""
    try:
        with service.database.read() as connection:
            children = len(workers.live_children(connection))
            backlog = jobs.backlog(connection)
    except errors.DatabaseUnavailable as error:
        return {"status": "unready", "checks": {"database": error.message}, "workers": 0, "backlog": None}
    working = (
        "ok" if children else "No worker was heard of lately. Start one with `ocrelay worker`; jobs wait meanwhile."
    )
    return {
        "status": "ready" if children else "unready",
        "checks": {"database": "ok", "workers": working},
        "workers": children,
        "backlog": backlog,
    }
