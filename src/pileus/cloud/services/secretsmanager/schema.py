"""Tables of Secrets Manager: secrets, their versions, and the staging labels on versions."""

from __future__ import annotations

MIGRATIONS = (
    """
    CREATE TABLE secret (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        arn TEXT NOT NULL,
        created REAL NOT NULL,
        changed REAL NOT NULL,
        accessed REAL,
        deleted REAL,
        purge REAL,
        detail BLOB NOT NULL,
        policy TEXT,
        PRIMARY KEY (account, region, name)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX secret_arn ON secret (arn);
    CREATE TABLE secret_version (
        arn TEXT NOT NULL,
        id TEXT NOT NULL,
        text TEXT,
        binary BLOB,
        created REAL NOT NULL,
        PRIMARY KEY (arn, id)
    ) WITHOUT ROWID;
    CREATE TABLE secret_stage (
        arn TEXT NOT NULL,
        stage TEXT NOT NULL,
        version TEXT NOT NULL,
        PRIMARY KEY (arn, stage)
    ) WITHOUT ROWID;
    CREATE INDEX secret_stage_version ON secret_stage (arn, version);
    """,
)
