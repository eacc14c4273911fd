"""Tables of IAM. IAM is global: rows carry the account, never a region. Names are unique without regard to case."""

from __future__ import annotations

MIGRATIONS = (
    """
    CREATE TABLE iam_entity (
        account TEXT NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        name TEXT NOT NULL,
        path TEXT NOT NULL,
        entity_id TEXT NOT NULL,
        created REAL NOT NULL,
        detail BLOB NOT NULL,
        PRIMARY KEY (account, kind, key)
    ) WITHOUT ROWID;
    CREATE TABLE iam_inline (
        account TEXT NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        policy TEXT NOT NULL,
        document TEXT NOT NULL,
        PRIMARY KEY (account, kind, key, policy)
    ) WITHOUT ROWID;
    CREATE TABLE iam_policy (
        account TEXT NOT NULL,
        arn TEXT NOT NULL,
        key TEXT NOT NULL,
        name TEXT NOT NULL,
        path TEXT NOT NULL,
        policy_id TEXT NOT NULL,
        description TEXT,
        default_version INTEGER NOT NULL,
        last_version INTEGER NOT NULL,
        created REAL NOT NULL,
        updated REAL NOT NULL,
        tags BLOB NOT NULL,
        PRIMARY KEY (account, key)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX iam_policy_arn ON iam_policy (account, arn);
    CREATE TABLE iam_policy_version (
        account TEXT NOT NULL,
        arn TEXT NOT NULL,
        version INTEGER NOT NULL,
        document TEXT NOT NULL,
        created REAL NOT NULL,
        PRIMARY KEY (account, arn, version)
    ) WITHOUT ROWID;
    CREATE TABLE iam_attachment (
        account TEXT NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        arn TEXT NOT NULL,
        PRIMARY KEY (account, kind, key, arn)
    ) WITHOUT ROWID;
    CREATE INDEX iam_attachment_arn ON iam_attachment (account, arn, kind, key);
    CREATE TABLE iam_membership (
        account TEXT NOT NULL,
        group_key TEXT NOT NULL,
        user_key TEXT NOT NULL,
        PRIMARY KEY (account, group_key, user_key)
    ) WITHOUT ROWID;
    CREATE INDEX iam_membership_user ON iam_membership (account, user_key, group_key);
    CREATE TABLE iam_access_key (
        access_key_id TEXT NOT NULL PRIMARY KEY,
        account TEXT NOT NULL,
        user_key TEXT NOT NULL,
        secret TEXT NOT NULL,
        status TEXT NOT NULL,
        created REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX iam_access_key_user ON iam_access_key (account, user_key, access_key_id);
    """,
)
