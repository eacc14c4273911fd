"""Tables of SES."""

MIGRATIONS = (
    """
    CREATE TABLE ses_identity (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        identity TEXT NOT NULL,
        created REAL NOT NULL,
        tags BLOB NOT NULL DEFAULT '[]',
        PRIMARY KEY (account, region, identity)
    ) WITHOUT ROWID;
    CREATE TABLE ses_message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        message_id TEXT NOT NULL,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        sent REAL NOT NULL,
        source TEXT NOT NULL,
        recipients BLOB NOT NULL,
        raw BLOB NOT NULL
    );
    """,
)
