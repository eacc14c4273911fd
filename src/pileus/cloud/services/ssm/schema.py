"""Tables of the Parameter Store: each parameter's present version, all its versions, and labels on them."""

from __future__ import annotations

MIGRATIONS = (
    """
    CREATE TABLE ssm_parameter (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        tags BLOB NOT NULL,
        PRIMARY KEY (account, region, name)
    ) WITHOUT ROWID;
    CREATE TABLE ssm_version (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        type TEXT NOT NULL,
        value TEXT NOT NULL,
        modified REAL NOT NULL,
        user TEXT NOT NULL,
        detail BLOB NOT NULL,
        PRIMARY KEY (account, region, name, version)
    ) WITHOUT ROWID;
    CREATE TABLE ssm_label (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        label TEXT NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (account, region, name, label)
    ) WITHOUT ROWID;
    """,
)
