"""How one worker child keeps up with what reads: with what was activated, and with the models of its machine.

The new model is opened and tried beside the old one. A child that cannot take it up keeps the old one, says why, and
holds the rollout, so that everybody goes back.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import structlog

import models
from shared import errors, registry
from shared.audit import actor
from shared.database import Database
from shared.registry.record import Generation, Kind, Role, RolloutState
from shared.settings import Settings
from worker.models import on_hand, wanted
from worker.models.equipment import Equipment, find_stronger, prepare_libraries
from worker.models.noting import note_all
from worker.models.others import Others

log = structlog.get_logger(__name__)


class Follower:
    """What one child follows. Not for two threads at once: the child sees to that.

    generations: the newest of each role that it has looked at. newest: the number of the newest of all that it is done
    with; -1: of none yet. refused: the numbers of those that it could not take up.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._given = settings
        self._database = database
        self._name = f"{settings.node_name}/{os.getpid()}"
        self._models_seen: tuple[tuple[str, int, int], ...] = ()
        self.newest: int | None = -1
        self.generations: dict[Role, Generation] = {}
        self.refused: set[int] = set()

    @property
    def taken(self) -> list[Generation]:
        """The generations that this child reads with."""
        return [one for one in self.generations.values() if one.number not in self.refused]

    def load(self) -> Equipment:
        """Load what was ordered. There is no old model to keep; after a hold, the next try gets the one of before.

        Raises:
            Exception: something cannot be loaded.
        """
        self._models_seen = on_hand.signature(self._given)
        with self._database.read() as connection:
            self.newest = registry.newest(connection)
            self.generations = registry.current(connection)
        settings = wanted.settings_for(self._given, self.generations)
        self._check_new(settings)
        prepare_libraries()
        detector = self._load(settings, Role.DETECTOR)
        recognizer = self._load(settings, Role.RECOGNISER)
        others = self._note_others()
        return Equipment(settings, recognizer, detector, find_stronger(settings), others)

    def catch_up(self, equipment: Equipment) -> Equipment:
        """Take up what was activated since the last look.

        Returns:
            What the child reads with from now on: the same where nothing changed, or where it cannot follow.
        """
        try:
            with self._database.read() as connection:
                newest = registry.newest(connection)
                if newest == self.newest:
                    return equipment
                found = registry.current(connection)
        except errors.DatabaseUnavailable:
            return equipment
        new = [role for role, one in found.items() if _number(one) != _number(self.generations.get(role))]
        if not new:
            self.newest = newest
            return equipment
        settings = wanted.settings_for(self._given, found)
        opened: dict[Role, Any] = {}
        is_whole = True
        for role in new:
            try:
                opened[role] = self._open(settings, role, found, equipment)
            except Exception as error:  # noqa: BLE001  (whatever it is, the old one goes on)
                is_whole = False
                self._refuse(found[role], f"{type(error).__name__}: {error}")
        if not is_whole:
            return equipment  # what could be opened is opened again with the next look, when the others are back
        self.newest, self.generations = newest, found
        stronger = find_stronger(settings, keep=equipment.stronger)
        now = replace(
            equipment,
            settings=settings,
            recognizer=opened.get(Role.RECOGNISER, equipment.recognizer),
            detector=opened.get(Role.DETECTOR, equipment.detector),
            stronger=equipment.stronger if _is_same(stronger, equipment.stronger) else stronger,
        )
        log.info(
            "This child reads as was ordered from now on.",
            event_name="child.models_changed",
            model=now.recognizer.card.name,
        )
        return now

    def look_around(self, equipment: Equipment) -> Equipment:
        """Take up models that came to this machine or left it. A stronger one that is damaged is not taken up.

        Returns:
            As `catch_up`.
        """
        seen, old = on_hand.signature(self._given), equipment.stronger
        if seen == self._models_seen:
            return equipment
        self._models_seen = seen
        stronger = find_stronger(equipment.settings, keep=old if old is not None and old.is_loaded else None)
        if _is_same(stronger, old):
            stronger = old
        else:
            log.info(
                "This child reads with another stronger model from now on.",
                event_name="child.stronger_model_changed",
                model=stronger.name if stronger else None,
            )
        return replace(equipment, stronger=stronger, others=self._note_others())

    def _note_others(self) -> Others:
        usable = note_all(self._database, self._given, actor.worker(self._name))
        places = on_hand.recognisers(self._given), on_hand.detectors(self._given)
        return Others(places[0], usable[Kind.RECOGNISER], places[1], usable[Kind.DETECTOR])

    def _check_new(self, settings: Settings) -> None:
        """Refuse what was ordered while no child lived and cannot be; what others have followed stays."""
        for role, generation in self.generations.items():
            if generation.state is RolloutState.ROLLING:
                try:
                    wanted.check_other_role(settings, self.generations, role)
                except models.ModelFileError as error:
                    self._refuse(generation, f"{type(error).__name__}: {error}")
                    raise

    def _load(self, settings: Settings, role: Role) -> Any:
        generation = self.generations.get(role)
        try:
            return _load(settings, role, generation)
        except Exception as error:
            if generation is not None and generation.model is not None:
                self._refuse(generation, f"{type(error).__name__}: {error}")
            raise

    def _open(self, settings: Settings, role: Role, generations: wanted.Generations, now: Equipment) -> Any:
        """Open what a role was given, beside what the child has; a stronger model is let go again until it is needed.

        Raises:
            ModelFileError: It cannot be taken up.
        """
        generation = generations[role]
        wanted.check_other_role(settings, generations, role)
        if role is Role.STRONGER:
            if generation.model is not None:
                wanted.open_recogniser(settings, generation)
            return None
        has = now.recognizer if role is Role.RECOGNISER else now.detector
        if has is not None and generation.sha256 == has.card.sha256 and generation.model == has.card.name:
            return has
        return _load(settings, role, generation)

    def _refuse(self, generation: Generation, reason: str) -> None:
        log.error(
            "The model that was activated cannot be taken up; this child keeps what it has and holds the rollout.",
            event_name="child.model_refused",
            model=generation.model,
            error=reason,
        )
        try:
            with self._database.write() as connection:
                registry.refuse(connection, generation.number, self._name, reason)
                told = f"{self._name}: {reason}"
                registry.hold(connection, generation, reason=told, actor=actor.worker(self._name))
        except errors.DatabaseUnavailable:
            self.generations.pop(generation.role, None)  # it is tried again
        else:
            self.generations[generation.role] = generation
            self.refused.add(generation.number)


def _number(generation: Generation | None) -> int | None:
    return generation.number if generation else None


def _load(settings: Settings, role: Role, generation: Generation | None) -> Any:
    if role is Role.DETECTOR:
        return wanted.open_detector(settings, generation)
    if generation is None:
        return models.load(settings.model, threads=1, installed=settings.models_folder)
    return wanted.open_recogniser(settings, generation)


def _is_same(one: Any, other: Any) -> bool:
    return (one and (one.name, one.sha256)) == (other and (other.name, other.sha256))
