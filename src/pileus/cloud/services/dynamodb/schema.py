"""DynamoDB's tables in the store.

All items of all tables lie in one SQLite table, in the order (table, hash key, range key); all entries of all
secondary indexes in another. Large columns come last, so that keys and sizes are read without the items.
`dynamodb_size` gives tables and indexes their ids and counts what they hold.
"""

from __future__ import annotations

MIGRATIONS = (
    """
    CREATE TABLE dynamodb_size (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        items INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE dynamodb_table (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        created REAL NOT NULL,
        definition BLOB NOT NULL,
        UNIQUE (account, region, name)
    );
    CREATE TABLE dynamodb_item (
        table_id INTEGER NOT NULL,
        hash BLOB NOT NULL,
        range BLOB NOT NULL,
        size INTEGER NOT NULL,
        item BLOB NOT NULL,
        PRIMARY KEY (table_id, hash, range)
    ) WITHOUT ROWID;
    CREATE TABLE dynamodb_entry (
        index_id INTEGER NOT NULL,
        hash BLOB NOT NULL,
        range BLOB NOT NULL,
        item_hash BLOB NOT NULL,
        item_range BLOB NOT NULL,
        size INTEGER NOT NULL,
        item BLOB NOT NULL,
        PRIMARY KEY (index_id, hash, range, item_hash, item_range)
    ) WITHOUT ROWID;
    CREATE TABLE dynamodb_expiry (
        table_id INTEGER NOT NULL,
        at REAL NOT NULL,
        hash BLOB NOT NULL,
        range BLOB NOT NULL,
        PRIMARY KEY (table_id, at, hash, range)
    ) WITHOUT ROWID;
    CREATE TABLE dynamodb_sweep (
        table_id INTEGER PRIMARY KEY,
        due REAL NOT NULL,
        job INTEGER NOT NULL
    );
    CREATE TABLE dynamodb_token (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        token TEXT NOT NULL,
        expires REAL NOT NULL,
        request BLOB NOT NULL,
        result BLOB NOT NULL,
        PRIMARY KEY (account, region, token)
    ) WITHOUT ROWID;
    CREATE INDEX dynamodb_token_expires ON dynamodb_token (expires);
    """,
    """
    CREATE TABLE dynamodb_stream (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        table_id INTEGER NOT NULL,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        table_name TEXT NOT NULL,
        label TEXT NOT NULL,
        view TEXT NOT NULL,
        key_schema BLOB NOT NULL,
        created REAL NOT NULL,
        ended REAL,
        first INTEGER NOT NULL,
        last INTEGER,
        trimming INTEGER NOT NULL DEFAULT 0,
        UNIQUE (account, region, table_name, label)
    );
    CREATE TABLE dynamodb_stream_record (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        stream_id INTEGER NOT NULL,
        created REAL NOT NULL,
        record BLOB NOT NULL
    );
    CREATE INDEX dynamodb_stream_record_place ON dynamodb_stream_record (stream_id, sequence);
    """,
)
