"""What codes of models, keys and webhooks are called."""

from __future__ import annotations

from flask_babel import LazyString, lazy_gettext

ROLES: dict[str, LazyString] = {
    "recogniser": lazy_gettext("reads every line"),
    "stronger": lazy_gettext("reads again what leaves a doubt"),
    "detector": lazy_gettext("finds the lines"),
}
KINDS: dict[str, LazyString] = {
    "recogniser": lazy_gettext("recogniser"),
    "detector": lazy_gettext("line detector"),
}
ROLLOUTS: dict[str, LazyString] = {
    "rolling": lazy_gettext("workers are taking it up"),
    "settled": lazy_gettext("every worker has it"),
    "held": lazy_gettext("refused, the one of before came back"),
}
TAKEUPS: dict[str, LazyString] = {
    "waiting": lazy_gettext("not yet"),
    "taken": lazy_gettext("has it"),
    "refused": lazy_gettext("refused"),
}
MARKS = {
    "rolling": "running",
    "settled": "succeeded",
    "held": "failed",
    "waiting": "queued",
    "taken": "succeeded",
    "refused": "failed",
}
"""The state of a job whose sign and colour a rollout has."""
