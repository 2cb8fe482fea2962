"""``ocrelay doctor``: what this machine lacks, and how to mend it. One function for each subject."""

from __future__ import annotations

import importlib
import platform
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared import errors, queue, registry
from shared.database import Database, journal_mode
from shared.migrations import check_schema
from shared.registry.record import Generation, Role
from shared.settings import Settings, limit_native_libraries
from shared.up import broker

OLDEST_PYTHON = (3, 11)
ILLEGAL_INSTRUCTION = {-signal.SIGILL, 0xC000001D}  # as processes end by it: on POSIX, on Windows
_ACTIVATED = " (activated)"

_REINSTALL = "Run `pip install --force-reinstall {}` with a Python of this machine's kind."
_FOR_MODELS = ("numpy", "cv2", "onnxruntime")
_OLD_PROCESSOR = (
    "This processor lacks instructions that the library needs (AVX). In a virtual machine set its processor's type to "
    "`host`: `kvm64` and `qemu64`, which Proxmox and libvirt offer, lack them. Otherwise take one of 2012 or newer."
)
_FIXES = {
    "numpy": {
        "linux": _REINSTALL.format("'numpy>=2,<3'"),
        "darwin": _REINSTALL.format("'numpy>=2,<3'"),
        "win32": "Install the Visual C++ redistributable 2019 or newer (vc_redist.x64.exe).",
    },
    "cv2": {
        "linux": "Install opencv-python-headless; opencv-python needs libGL, which servers lack. "
        + _REINSTALL.format("opencv-python-headless"),
        "darwin": _REINSTALL.format("opencv-python-headless"),
        "win32": "OpenCV needs Media Foundation: on Windows Server Core run "
        "`Install-WindowsFeature Server-Media-Foundation`; nanoserver images lack it, take servercore. "
        "DLLs are searched beside the module, in System32 and in folders named to os.add_dll_directory, not on PATH.",
    },
    "onnxruntime": {
        "linux": "onnxruntime needs glibc 2.28 or newer and has no wheel for musl (Alpine). "
        + _REINSTALL.format("onnxruntime"),
        "darwin": _REINSTALL.format("onnxruntime"),
        "win32": "Install the Visual C++ redistributable 2019 or newer (vc_redist.x64.exe). An older onnxruntime.dll "
        "in System32 is found first: remove it. nanoserver images lack these DLLs, take servercore.",
    },
    **{
        module: dict.fromkeys(("linux", "darwin", "win32"), _REINSTALL.format(package))
        for module, package in (("PIL.Image", "pillow"), ("pi_heif", "pi-heif"), ("pypdfium2", "pypdfium2"))
    },
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    """What was looked at."""
    is_good: bool
    """Whether it works."""
    says: str
    """What was found, in one line."""
    fix: str = ""
    """What to do, where it does not work."""


def examine(settings: Settings) -> list[Finding]:
    """Look at everything that ocrelay needs here."""
    limit_native_libraries(settings)
    libraries = [check_library(name) for name in _FIXES]
    lacking = [one.subject for one in libraries if not one.is_good and one.subject in _FOR_MODELS]
    return [check_python(sys.version_info[:3]), *libraries, *_checks_of(settings, lacking)]


def check_python(version: tuple[int, ...]) -> Finding:
    """Look at the version of Python."""
    says = f"{'.'.join(map(str, version))} on {platform.platform()}"
    return Finding("Python", version >= OLDEST_PYTHON, says, "Install Python 3.11 or newer and run `make setup` again.")


def check_library(name: str) -> Finding:
    """Import a native library: in a process of its own first, as what a processor cannot do ends all of it."""
    status = subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True, check=False).returncode
    if status in ILLEGAL_INSTRUCTION:
        return Finding(name, False, "ends every process that imports it with an illegal instruction", _OLD_PROCESSOR)
    try:
        module = importlib.import_module(name)
    except (ImportError, OSError) as error:
        fixes = _FIXES[name]
        return Finding(name, False, f"cannot be imported: {error}", fixes.get(sys.platform, fixes["linux"]))
    return Finding(name, True, str(getattr(module, "__version__", "imported")))


def _checks_of(settings: Settings, lacking: Sequence[str]) -> Iterator[Finding]:
    database = _check(
        "Database",
        lambda: _look_at_database(settings),
        "Start the database or correct OCRELAY_DATABASE_URL; then run `ocrelay migrate`.",
    )
    yield database
    yield _check("Broker", lambda: _look_at_broker(settings), "Start it, or correct OCRELAY_REDIS_URL.")
    if lacking:
        yield Finding("Model", False, f"not looked at without {', '.join(lacking)}", "Mend what stands above first.")
        return
    yield from _checks_of_models(settings, _activated(settings) if database.is_good else {})


def _checks_of_models(settings: Settings, activated: Mapping[Role, Generation]) -> Iterator[Finding]:
    yield _check(
        "Model",
        lambda: _look_at_model(settings, activated),
        _fix_of(activated, Role.RECOGNISER)
        or "Set OCRELAY_MODEL to a model that `models/weights` holds or to a .onnx file; empty takes the one shipped.",
    )
    yield _check(
        "Stronger model",
        lambda: _look_at_stronger(settings, activated),
        _fix_of(activated, Role.STRONGER)
        or "Install the pack again with `ocrelay models install NAME`, or name another model in OCRELAY_MODELS.",
    )
    yield _check(
        "Line finder",
        lambda: _look_at_line_finder(settings, activated),
        _fix_of(activated, Role.DETECTOR)
        or "Restore models/weights/detector-lines, or set OCRELAY_LINE_FINDER=classical.",
    )


def _activated(settings: Settings) -> dict[Role, Generation]:
    """What roles were given models, by the registry; empty where there is no database yet."""
    if not settings.database_url and not settings.data_dir.exists():
        return {}
    database = Database(settings.database, pool_size=1)
    try:
        with database.read() as connection:
            return {role: one for role, one in registry.current(connection).items() if one.model is not None}
    finally:
        database.close()


def _fix_of(activated: Mapping[Role, Generation], role: Role) -> str:
    if role not in activated:
        return ""
    return (
        f"{activated[role].model} was activated: bring it back to this machine with `ocrelay models add FILE` or "
        f"`ocrelay models install NAME`, or activate another one with `ocrelay models activate NAME --role {role}`."
    )


def _check(subject: str, look: Callable[[], str], fix: str) -> Finding:
    try:
        return Finding(subject, True, look())
    except Exception as error:  # noqa: BLE001  (whatever is wrong is the finding)
        reason = error.details.get("reason") if isinstance(error, errors.OcrelayError) else None
        return Finding(subject, False, f"{error}{f' ({reason})' if reason else ''}", fix)


def _look_at_database(settings: Settings) -> str:
    if not settings.database_url and not settings.data_dir.exists():
        return f"SQLite, journal mode {journal_mode()}; `ocrelay up` will make it in {settings.data_dir}"
    database = Database(settings.database, pool_size=1)
    try:
        check_schema(database)
        return database.url.render_as_string() + (f", journal mode {journal_mode()}" if database.is_sqlite else "")
    finally:
        database.close()


def _look_at_broker(settings: Settings) -> str:
    if settings.redis_url is None:
        program = broker.find_server(broker.candidates())
        return f"embedded: {program}, version {'.'.join(map(str, broker.server_version(program)))}"
    if queue.depth(queue.create_app(settings, settings.redis_url, role="client")) is None:
        raise errors.InvalidConfiguration(
            "The broker at OCRELAY_REDIS_URL does not answer. Start it or correct the URL."
        )
    return "answers"


def _look_at_line_finder(settings: Settings, activated: Mapping[Role, Generation]) -> str:
    if Role.DETECTOR not in activated and settings.line_finder == "classical":
        return "classical, without a network"
    from worker.models import wanted

    given = activated.get(Role.DETECTOR)
    found = wanted.open_detector(settings, given)
    assert found is not None, "one was activated, or the learned one is to find the lines"
    return f"{found.card.name} {found.card.version}{_ACTIVATED if given else ''}"


def _look_at_model(settings: Settings, activated: Mapping[Role, Generation]) -> str:
    import models
    from worker.models import wanted

    given = activated.get(Role.RECOGNISER)
    if given:
        card = wanted.open_recogniser(settings, given).card
    else:
        card = models.load(settings.model, installed=settings.models_folder).card
    return f"{card.name} {card.version}, {len(card.charset.characters)} characters{_ACTIVATED if given else ''}"


def _look_at_stronger(settings: Settings, activated: Mapping[Role, Generation]) -> str:
    from worker.models import wanted
    from worker.models.stronger import find_stronger

    given = activated.get(Role.STRONGER)
    if given:
        card = wanted.open_recogniser(settings, given).card
        return f"{card.name} {card.version}{_ACTIVATED}, `quality` = {settings.quality}"
    found = find_stronger(wanted.settings_for(settings, activated))
    if found is not None:
        return f"{found.name} {found.load().card.version}, `quality` = {settings.quality}"
    if settings.quality == "best":
        raise errors.NoStrongerModel(reason="OCRELAY_QUALITY=best reads with the fast model alone")
    return "none, so every `quality` is `fast`; `ocrelay models install ppocr-v6` fetches one"
