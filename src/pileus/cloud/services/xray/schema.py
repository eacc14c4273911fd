"""Tables of X-Ray: segment documents, found by trace and by time."""

MIGRATIONS = (
    """
    CREATE TABLE xray_segment (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        trace_id TEXT NOT NULL,
        id TEXT NOT NULL,
        started REAL NOT NULL,
        document BLOB NOT NULL,
        PRIMARY KEY (account, region, trace_id, id)
    ) WITHOUT ROWID;
    CREATE INDEX xray_segment_time ON xray_segment (account, region, started);
    """,
)
