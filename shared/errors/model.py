"""What is asked of the models cannot be done."""

# ruff: noqa: N818
from __future__ import annotations

from shared.errors.request import NotFound, RequestError


class ModelNotFound(NotFound):
    """No worker has a model of this name. Take one of GET /v1/models, or bring it to the workers' machines.

    A pack comes with `ocrelay models install ppocr-v6`, one of your own with `ocrelay models add FILE`.
    """

    code = "model_not_found"


class ModelOfOtherKind(RequestError):
    """The model is of another kind than the role is for. Name a model of that kind, or another role."""

    code = "model_of_other_kind"
    http_status = 409


class ModelPathRefused(RequestError):
    """The path lies outside of the folder of models. Bring the file in with `ocrelay models add`, then name it."""

    code = "model_path_refused"


class ModelRefused(RequestError):
    """The model cannot be brought in or taken away. The message says why; nothing was changed."""

    code = "model_refused"


class ModelHeld(RequestError):
    """A worker could not take up the model, so everybody goes on with the one of before. `reason` says why."""

    code = "model_held"
    http_status = 409


class NothingToRollBack(RequestError):
    """No model was ever activated for this role, so there is none to go back to. Activate one."""

    code = "nothing_to_roll_back"
    http_status = 409
