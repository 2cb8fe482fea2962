"""Many audit events at once, made by PostgreSQL itself: a year of jobs by some thousand clients, oldest first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select, text

from shared.audit import partitions
from shared.database import Database, database_now

MONTHS = 12

_FILL = """
    INSERT INTO audit_events (occurred_at, event, actor, job_id, attempt, client_ip, ip_key, sha256, key_id, outcome,
                              confidence, min_confidence, model, model_version, model_sha256, code, duration_ms)
    SELECT begin_at + (end_at - begin_at) * ((job * 3 + step) / (jobs * 3.0)),
           'job.' || (ARRAY['submitted', 'claimed', ended])[step + 1],
           (ARRAY['client', 'node/' || job % 8, 'node/' || job % 8])[step + 1],
           'job_' || lpad(job::text, 26, '0'), least(step, 1), client_ip, ip_key,
           encode(sha256(job::text::bytea), 'hex'), 'key' || job % 7, (ARRAY['queued', 'running', ended])[step + 1],
           confidence, confidence * 0.9, CASE WHEN read THEN 'crnn-zh-en' END,
           CASE WHEN read THEN '2026' || job * 4 / jobs END, CASE WHEN read THEN repeat('ab', 32) END,
           CASE WHEN step = 2 AND fails THEN 'recognition_failed' END,
           CASE WHEN step = 2 THEN (job * 7919) % 4000 END
    FROM (SELECT job, step, jobs, begin_at, end_at, job % 200 = 0 AS fails, step = 2 AND job % 200 <> 0 AS read,
                 '10.' || client / 256 || '.' || client % 256 || '.9' AS client_ip,
                 '40a' || lpad(to_hex(client), 4, '0') || '09' AS ip_key,
                 CASE WHEN job % 200 = 0 THEN 'failed' ELSE 'succeeded' END AS ended,
                 CASE WHEN step = 2 AND job % 200 <> 0 THEN 1 - (job * 613 % 1000 / 1000.0) ^ 3 * 0.7 END AS confidence
          FROM (SELECT job, step, :jobs AS jobs, (job * 7919) % 5000 AS client,
                       CAST(:begin_at AS timestamptz) AS begin_at, CAST(:end_at AS timestamptz) AS end_at
                FROM generate_series(CAST(0 AS bigint), :jobs - 1) AS job, generate_series(0, 2) AS step) AS numbers
         ) AS rows
    ORDER BY job, step
"""
_RARE = """
    INSERT INTO audit_events (occurred_at, event, actor, client_ip, ip_key, subject)
    SELECT CAST(:begin_at AS timestamptz) + interval '1 day' * n, 'endpoint.created', 'client', '2001:db8::1',
           '620010db8000000000000000000000001', 'ep_' || n
    FROM generate_series(1, 5) AS n
"""


def fill(database: Database, count: int) -> tuple[datetime, datetime]:
    """Add about so many events of the last year to an empty, migrated database; return from when to when."""
    with database.write() as connection:
        now = connection.execute(select(database_now())).scalar_one()
        begin = _add_months_before(connection, partitions.month_of(now))
        times = {"begin_at": begin, "end_at": now}
        connection.execute(text(_RARE), {"begin_at": begin})
        connection.execute(text(_FILL), {"jobs": count // 3, **times})
    with database.write() as connection:
        connection.execute(text("ANALYZE audit_events"))
    return begin, now


def _add_months_before(connection: Connection, month: datetime) -> datetime:
    """Make partitions as an installation of that age has them."""
    connection.execute(text("DROP TABLE audit_events_past"))
    for _ in range(MONTHS):
        end, month = month, (month - timedelta(days=1)).astimezone(UTC).replace(day=1)
        name = partitions.name_of(month)
        connection.execute(
            text(f"CREATE TABLE {name} PARTITION OF audit_events FOR VALUES FROM ('{month}') TO ('{end}')")
        )
    connection.execute(text(partitions.past_until(month)))
    return month
