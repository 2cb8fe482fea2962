"""What must hold after a storm, asked of the database itself and of what the receiver of the webhooks has seen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select, text

from shared import jobs
from shared.audit import trail, verify
from shared.audit.queries import AuditEvent
from shared.database import Database
from shared.jobs.states import MOVES
from shared.tables import audit_events, deliveries, delivery_attempts, results
from tests.e2e.chaos.clients import Diary
from tests.e2e.chaos.documents import BOOK_PAGES, Document
from tests.receiver import Message

COPY_TRAIL = [trail.Event.SUBMITTED, trail.Event.SUCCEEDED]
"""Of a job that was given an earlier result as it was submitted: nobody claimed it."""
FINAL_EVENTS = {trail.Event.SUCCEEDED, trail.Event.FAILED}


def lost(database: Database, diary: Diary) -> list[str]:
    """Jobs that were accepted and have not ended, or whose submission became more or less than one job."""
    with database.read() as connection:
        found = {row.id: row for row in connection.execute(text("SELECT id, state, reference, error FROM jobs"))}
    wrong = [f"{job_id} was accepted and is not there" for job_id in diary.accepted if job_id not in found]
    wrong += [f"{row.id} is {row.state}" for row in found.values() if row.state not in ("succeeded", "failed")]
    wrong += [f"{row.id} failed without a reason" for row in found.values() if row.state == "failed" and not row.error]
    references = Counter(row.reference for row in found.values())
    wrong += [f"{reference!r} became {count} jobs" for reference, count in references.items() if count != 1]
    wrong += [
        f"{document.reference!r} has no job"
        for document in diary.accepted.values()
        if document.reference not in references
    ]
    return wrong


def misread(database: Database, diary: Diary) -> list[str]:
    """Jobs that ended as their document does not explain, or otherwise than their client was told."""
    wrong = []
    with database.read() as connection:
        for job_id, document in diary.accepted.items():
            job = jobs.get(connection, job_id)
            assert job is not None
            code = (job.error or {}).get("code") if job.state == "failed" else None
            if document.kind == "poison" and (code, job.attempt) != ("poison_job", job.max_attempts):
                wrong.append(f"{job_id} is poison, and ended {job.state} ({code}) at attempt {job.attempt}")
            if document.kind != "poison" and code not in (None, "poison_job"):
                wrong.append(f"{job_id} failed with {code}")
            if document.kind == "book" and job.result is not None:
                numbers = [page["page_number"] for page in job.result["pages"]]
                if numbers != list(range(1, BOOK_PAGES + 1)) or job.pages_done != BOOK_PAGES:
                    wrong.append(f"{job_id} ended with {job.pages_done} pages done, and holds {numbers}")
            told = diary.ends.get(job_id)
            if told is None:
                wrong.append(f"nobody was told the end of {job_id}")
            elif (told["state"], (told["result"] or {}).get("text")) != (job.state, (job.result or {}).get("text")):
                wrong.append(f"{job_id}: its client was told something else than what is stored")
    return wrong


def doubled(database: Database) -> list[str]:
    """Jobs with two results or none, and audit trails that are no way through the table of moves."""
    with database.read() as connection:
        stored = Counter(connection.execute(select(results.c.job_id)).scalars())
        states = {row.id: row.state for row in connection.execute(text("SELECT id, state FROM jobs"))}
        trails: dict[str, list[AuditEvent]] = defaultdict(list)
        for row in connection.execute(select(audit_events).order_by(audit_events.c.id)).mappings():
            if row["job_id"] and row["event"].startswith("job."):
                trails[row["job_id"]].append(
                    AuditEvent(**{name: row[name] for name in AuditEvent.__dataclass_fields__})
                )
    wrong = [
        f"{job_id} ({state}) has {stored[job_id]} results"
        for job_id, state in states.items()
        if stored[job_id] != (state == "succeeded")
    ]
    for job_id, state in states.items():
        wrong += [f"{job_id}: {problem}" for problem in _broken(trails[job_id], state)]
    return wrong


def _broken(events: list[AuditEvent], state: str) -> Iterable[str]:
    """What is wrong with the trail of one job: a move that is not in the table, a second end, a claim won twice."""
    if [event.event for event in events] == COPY_TRAIL and state == "succeeded":
        return
    at: Any = None
    for event in events:
        moves = [move for move in MOVES if (move.event, move.source) == (event.event, at)]
        targets = {move.target for move in moves}
        if event.outcome not in targets:
            yield f"{event.event} to {event.outcome} from {at}: {[found.event for found in events]}"
            return
        at = next(target for target in targets if target == event.outcome)
    if at != state:
        yield f"its trail ends {at}, the job is {state}"
    if sum(event.event in FINAL_EVENTS for event in events) != 1:
        yield "it ended more than once"
    claims = [event.attempt for event in events if event.event == trail.Event.CLAIMED]
    if claims != list(range(1, len(claims) + 1)):
        yield f"its claims are numbered {claims}"


def forged(database: Database) -> list[str]:
    """What the audit trail's own seals find wrong, after the sweepers have sealed what they could."""
    report = verify.verify(database, most_events=100_000)
    if report.broken is not None:
        return [f"the trail is broken: {report.broken}"]
    return [] if report.event_count else ["nothing of the trail was sealed"]


def dropped(database: Database, diary: Diary, taken: list[Message], expected_paths: dict[str, bool]) -> list[str]:
    """Deliveries that were not planned once, did not arrive, or arrived under two ids.

    Args:
        database: Of the system.
        diary: What the clients saw.
        taken: What the receiver answered with 204.
        expected_paths: Paths of the receiver; True: each job reports there, False: those that asked for it.
    """
    with database.read() as connection:
        planned = connection.execute(select(deliveries.c.id, deliveries.c.job_id, deliveries.c.url, deliveries.c.state))
        rows = planned.all()
        numbers = defaultdict(list)
        for row in connection.execute(select(delivery_attempts).order_by(delivery_attempts.c.number)):
            numbers[row.delivery_id].append(row.number)
    wrong = [f"delivery {row.id} is {row.state}" for row in rows if row.state != "succeeded"]
    wrong += [f"delivery {row.id} has attempts {found}" for row in rows if (found := numbers[row.id]) != _whole(found)]
    arrived = {(message.path, message.webhook_id) for message in taken}
    for path, is_for_all in expected_paths.items():
        by_job = defaultdict(list)
        for row in rows:
            if row.url.endswith(path):
                by_job[row.job_id].append(row.id)
        for job_id, document in diary.accepted.items():
            wanted = 1 if is_for_all or document.has_webhook else 0
            if len(by_job[job_id]) != wanted:
                wrong.append(f"{job_id} has {len(by_job[job_id])} deliveries to {path}, not {wanted}")
            wrong += [f"{one} never arrived" for one in by_job[job_id] if (path, one) not in arrived]
    return wrong


def _whole(numbers: list[int]) -> list[int]:
    return list(range(1, len(numbers) + 1)) or [1]


def attempts_by_kind(database: Database, accepted: dict[str, Document]) -> dict[str, Counter[int]]:
    """How many jobs of each kind of document took how many attempts; a copy of an earlier result took none."""
    found: dict[str, Counter[int]] = defaultdict(Counter)
    with database.read() as connection:
        for row in connection.execute(text("SELECT id, attempt FROM jobs")):
            if row.id in accepted:
                found[accepted[row.id].kind][row.attempt] += 1
    return found


def attempts_of_deliveries(database: Database) -> Counter[int]:
    """How many deliveries took how many attempts."""
    with database.read() as connection:
        return Counter(connection.execute(select(deliveries.c.attempt)).scalars())


def waiting_deliveries(database: Database) -> list[str]:
    """Deliveries that were tried and wait for their next attempt."""
    with database.read() as connection:
        is_waiting = (deliveries.c.state == "queued") & (deliveries.c.attempt > 0)
        return list(connection.execute(select(deliveries.c.id).where(is_waiting)).scalars())


def undelivered(database: Database) -> int:
    """The number of deliveries that have not succeeded."""
    with database.read() as connection:
        return len(connection.execute(select(deliveries.c.id).where(deliveries.c.state != "succeeded")).all())
