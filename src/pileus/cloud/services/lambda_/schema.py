"""Tables of Lambda, one script a version."""

from __future__ import annotations

MIGRATIONS = (
    """
    CREATE TABLE lambda_function (
        account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
        tags BLOB NOT NULL, reserved INTEGER, last_version INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (account, region, name)
    ) WITHOUT ROWID;
    CREATE TABLE lambda_version (
        account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
        number INTEGER NOT NULL, config BLOB NOT NULL, code BLOB NOT NULL,
        PRIMARY KEY (account, region, name, number)
    ) WITHOUT ROWID;
    CREATE TABLE lambda_alias (
        account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
        alias TEXT NOT NULL, config BLOB NOT NULL,
        PRIMARY KEY (account, region, name, alias)
    ) WITHOUT ROWID;
    CREATE TABLE lambda_permission (
        account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, qualifier TEXT NOT NULL,
        sid TEXT NOT NULL, statement BLOB NOT NULL, added REAL NOT NULL,
        PRIMARY KEY (account, region, name, qualifier, sid)
    ) WITHOUT ROWID;
    CREATE TABLE lambda_event_invoke (
        account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, qualifier TEXT NOT NULL,
        config BLOB NOT NULL,
        PRIMARY KEY (account, region, name, qualifier)
    ) WITHOUT ROWID;
    CREATE TABLE lambda_event_source (
        account TEXT NOT NULL, region TEXT NOT NULL, uuid TEXT NOT NULL,
        name TEXT NOT NULL, source TEXT NOT NULL, config BLOB NOT NULL,
        PRIMARY KEY (account, region, uuid)
    ) WITHOUT ROWID;
    CREATE INDEX lambda_event_source_function ON lambda_event_source (account, region, name, uuid);
    """,
    """
    CREATE TABLE lambda_layer (
        account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, last_version INTEGER NOT NULL,
        PRIMARY KEY (account, region, name)
    ) WITHOUT ROWID;
    CREATE TABLE lambda_layer_version (
        account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
        number INTEGER NOT NULL, config BLOB NOT NULL, code BLOB NOT NULL,
        PRIMARY KEY (account, region, name, number)
    ) WITHOUT ROWID;
    CREATE TABLE lambda_layer_permission (
        account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL,
        sid TEXT NOT NULL, statement BLOB NOT NULL, added REAL NOT NULL,
        PRIMARY KEY (account, region, name, number, sid)
    ) WITHOUT ROWID;
    CREATE TABLE lambda_url (
        account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, qualifier TEXT NOT NULL,
        id TEXT NOT NULL UNIQUE, config BLOB NOT NULL,
        PRIMARY KEY (account, region, name, qualifier)
    ) WITHOUT ROWID;
    CREATE TABLE lambda_provisioned (
        account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, qualifier TEXT NOT NULL,
        wanted INTEGER NOT NULL, modified TEXT NOT NULL,
        PRIMARY KEY (account, region, name, qualifier)
    ) WITHOUT ROWID;
    CREATE TABLE lambda_setting (
        account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, qualifier TEXT NOT NULL,
        kind TEXT NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (account, region, name, qualifier, kind)
    ) WITHOUT ROWID;
    CREATE TABLE lambda_code_signing (
        account TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL, config BLOB NOT NULL,
        PRIMARY KEY (account, region, id)
    ) WITHOUT ROWID;
    """,
)
