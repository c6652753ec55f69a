"""Which model judges, and under which promise: opened at the start, looked at anew when a model or a lesson comes in."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, make_url

from triaged.classify import starter
from triaged.classify.modelfile import MANIFEST, ModelError
from triaged.classify.topic import TopicModel
from triaged.classify.topicfile import load
from triaged.config import Settings
from triaged.learning import promised, shelf
from triaged.store import labels
from triaged.store.engine import reading

if TYPE_CHECKING:
    from triaged.office import Office

log = logging.getLogger("triaged")


@dataclass(frozen=True, slots=True)
class ModelInUse:
    """A model as it judges.

    Attributes:
        topics: The model under its promise.
        version: Names it among all others.
        name: Its name on the shelf.
        said: What to tell people when it comes into use.
    """

    topics: TopicModel
    version: str
    name: str
    said: str


def state_folder(settings: Settings) -> Path:
    """Return where the database's disk is; the folder of triaged.toml when the database is elsewhere."""
    url = make_url(settings.store_url)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        return Path(url.database).parent
    return settings.file.parent


def open_in_use(settings: Settings, engine: Engine) -> ModelInUse:
    """Open the model in use; the one that triaged.toml names when a learnt one cannot be read.

    Raises:
        ModelError: That one cannot be read either.
    """
    home = shelf.home(state_folder(settings))
    choice = shelf.chosen(home)
    with reading(engine) as db:
        if choice.name != shelf.FIRST:
            try:
                return _open(home / choice.name, choice, settings, db)
            except ModelError as error:
                log.error("the learnt model cannot be used, the first one judges", extra={"why": str(error)})  # noqa: TRY400
        return _open(starter.folder(settings.office.model), replace(choice, name=shelf.FIRST), settings, db)


def _open(folder: Path, choice: shelf.Choice, settings: Settings, db: Connection) -> ModelInUse:
    ceiling, level = settings.promise.misrouted, settings.promise.confidence
    model = load(folder, with_encoder=settings.office.encoder, ceiling=ceiling, level=level).hearing(starter.danger_score())
    version = version_of(folder)
    topics = promised.under_promise(db, model, version, shipped=is_shipped(folder), ceiling=ceiling, level=level)
    return ModelInUse(topics, version, choice.name, choice.why)


def is_shipped(folder: Path) -> bool:
    """Tell whether a model is the one that ships, which learnt from invented examples."""
    return folder.name == "starter"


def version_of(folder: Path) -> str:
    """Return what names a model among all others."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()[:12]


def take_note(office: "Office", engine: Engine, now: datetime) -> None:
    """Note that this model judges from now on, under which promise."""
    with engine.begin() as db:
        promised.note_in_use(db, office.model_version, office.model_name, office.model_said, now)
        promised.remember(db, office.promise, now)


class Watcher:
    """Sees that another model was chosen, or that a lesson came in or was taken back.

    Args:
        engine: The database.
        clock: Now.
    """

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock
        self._seen: object = None
        self._tried = ""  # a chosen model that may have turned out unreadable

    def look(self, office: "Office") -> "Office | None":
        """Return the office as it judges now; None when nothing changed."""
        choice = shelf.chosen(shelf.home(office.state_folder))
        with reading(self._engine) as db:
            seen = (labels.signature(db), office.settings)
        another = choice.name not in (office.model_name, self._tried)
        if seen == self._seen and not another:
            return None
        self._seen = seen
        changed = self._with_another_model(office, choice.name) if another else self._under_promise(office)
        take_note(changed, self._engine, self._clock())
        if changed.model_version != office.model_version:
            log.info("model taken into use", extra={"model": changed.model_name, "version": changed.model_version})
        if changed.promise and changed.promise != office.promise:
            log.info("promise", extra={"standing": changed.promise.standing.value, "threshold": changed.promise.threshold})
        return changed

    def _with_another_model(self, office: "Office", name: str) -> "Office":
        self._tried = name
        try:
            found = open_in_use(office.settings, self._engine)
        except ModelError as error:
            log.error("no model can be read, the one in memory judges on", extra={"why": str(error)})  # noqa: TRY400
            return office
        return replace(office, topics=found.topics, model_version=found.version, model_name=found.name, model_said=found.said)

    def _under_promise(self, office: "Office") -> "Office":
        promise = office.settings.promise
        is_first = office.model_name == shelf.FIRST and is_shipped(starter.folder(office.settings.office.model))
        with reading(self._engine) as db:
            topics = promised.under_promise(
                db,
                office.topics,
                office.model_version,
                shipped=is_first,
                ceiling=promise.misrouted,
                level=promise.confidence,
            )
        return replace(office, topics=topics)
