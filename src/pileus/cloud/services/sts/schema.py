"""Sessions. They outlive a restart, as a client's credentials do."""

from __future__ import annotations

MIGRATIONS = (
    """
    CREATE TABLE sts_session (
        access_key_id TEXT NOT NULL PRIMARY KEY,
        account TEXT NOT NULL,
        secret TEXT NOT NULL,
        token TEXT NOT NULL,
        kind TEXT NOT NULL,
        arn TEXT NOT NULL,
        user_id TEXT NOT NULL,
        expires REAL NOT NULL,
        detail BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX sts_session_expires ON sts_session (expires);
    """,
)
