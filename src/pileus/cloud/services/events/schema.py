"""Tables of EventBridge. The default bus has no row: every account and region has it."""

MIGRATIONS = (
    """
    CREATE TABLE events_bus (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        created REAL NOT NULL,
        description TEXT,
        policy BLOB,
        tags BLOB NOT NULL DEFAULT '{}',
        PRIMARY KEY (account, region, name)
    ) WITHOUT ROWID;
    CREATE TABLE events_rule (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        bus TEXT NOT NULL,
        name TEXT NOT NULL,
        pattern TEXT,
        schedule TEXT,
        state TEXT NOT NULL,
        description TEXT,
        role_arn TEXT,
        tags BLOB NOT NULL DEFAULT '{}',
        job INTEGER,
        UNIQUE (account, region, bus, name)
    );
    CREATE TABLE events_target (
        rule_id INTEGER NOT NULL,
        id TEXT NOT NULL,
        arn TEXT NOT NULL,
        target BLOB NOT NULL,
        PRIMARY KEY (rule_id, id)
    ) WITHOUT ROWID;
    CREATE INDEX events_target_arn ON events_target (arn);
    """,
)
