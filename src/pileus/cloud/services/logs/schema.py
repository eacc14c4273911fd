"""Tables of CloudWatch Logs. Events are kept in chunks (see events.py), found by stream or group and time, so that
reading is one index range however much is stored beside it."""

MIGRATIONS = (
    """
    CREATE TABLE logs_group (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        created INTEGER NOT NULL,
        retention INTEGER,
        class TEXT NOT NULL DEFAULT 'STANDARD',
        kms_key TEXT,
        tags BLOB NOT NULL DEFAULT '{}',
        stored INTEGER NOT NULL DEFAULT 0,
        UNIQUE (account, region, name)
    );
    CREATE TABLE logs_stream (
        id INTEGER PRIMARY KEY,
        group_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        created INTEGER NOT NULL,
        first_event INTEGER,
        last_event INTEGER,
        last_ingestion INTEGER,
        UNIQUE (group_id, name)
    );
    CREATE INDEX logs_stream_last ON logs_stream (group_id, last_event);
    CREATE TABLE logs_event (
        stream_id INTEGER NOT NULL,
        time INTEGER NOT NULL,
        id INTEGER NOT NULL,
        group_id INTEGER NOT NULL,
        ingested INTEGER NOT NULL,
        message TEXT NOT NULL,
        PRIMARY KEY (stream_id, time, id)
    ) WITHOUT ROWID;
    CREATE INDEX logs_event_group ON logs_event (group_id, time, id);
    """,
    """
    CREATE TABLE logs_chunk (
        id INTEGER PRIMARY KEY,
        stream_id INTEGER NOT NULL,
        group_id INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        ingested INTEGER NOT NULL,
        events BLOB NOT NULL
    );
    CREATE INDEX logs_chunk_group ON logs_chunk (group_id, first);
    CREATE INDEX logs_chunk_first ON logs_chunk (stream_id, first);
    CREATE INDEX logs_chunk_last ON logs_chunk (stream_id, last);
    INSERT INTO logs_chunk SELECT id, stream_id, group_id, time, time, ingested,
        json_array(json_array(time, message)) FROM logs_event;
    DROP TABLE logs_event;
    """,
)
