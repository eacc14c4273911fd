"""The tables of SQS.

A message's place in the queue is its row in the index `(queue, visible_at, …)`: what may be received now is the head of
that index, however full the queue is. `queue` is the queue's `content`, a number that a purge replaces, so that purging
and deleting are one row's change and the old messages go in the background. A FIFO queue is read by group: `sqs_group`
has one row for each group with messages, with the moment from which its head may be received.
Message ids come from `SqsBase.next_id`: they rise with time and none comes twice.
"""

from __future__ import annotations

MIGRATIONS = (
    """
    CREATE TABLE sqs_queue (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        content INTEGER NOT NULL,
        created REAL NOT NULL,
        modified REAL NOT NULL,
        purged REAL NOT NULL DEFAULT 0,
        dead_letter_arn TEXT,
        attributes BLOB NOT NULL,
        tags BLOB NOT NULL
    );
    CREATE UNIQUE INDEX sqs_queue_name ON sqs_queue (account, region, name);
    CREATE INDEX sqs_queue_dead_letter ON sqs_queue (dead_letter_arn, name) WHERE dead_letter_arn IS NOT NULL;
    CREATE TABLE sqs_content (id INTEGER PRIMARY KEY AUTOINCREMENT);
    CREATE TABLE sqs_deleted (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (account, region, name)
    ) WITHOUT ROWID;
    CREATE TABLE sqs_message (
        id INTEGER PRIMARY KEY,
        queue INTEGER NOT NULL,
        visible_at REAL NOT NULL,
        receive_count INTEGER NOT NULL DEFAULT 0,
        message_id TEXT NOT NULL,
        body TEXT NOT NULL,
        sent REAL NOT NULL,
        enqueued REAL NOT NULL,
        first_received REAL,
        received REAL,
        sender TEXT NOT NULL,
        fifo INTEGER,
        group_id TEXT,
        dedup_id TEXT,
        trace TEXT,
        source_arn TEXT,
        attributes BLOB
    );
    CREATE INDEX sqs_message_visible ON sqs_message (queue, visible_at, receive_count);
    CREATE INDEX sqs_message_age ON sqs_message (queue, enqueued);
    CREATE INDEX sqs_message_group ON sqs_message (queue, group_id) WHERE fifo=1;
    CREATE TABLE sqs_group (
        queue INTEGER NOT NULL,
        group_id TEXT NOT NULL,
        ready_at REAL NOT NULL,
        PRIMARY KEY (queue, group_id)
    ) WITHOUT ROWID;
    CREATE INDEX sqs_group_ready ON sqs_group (queue, ready_at);
    CREATE TABLE sqs_dedup (
        queue INTEGER NOT NULL,
        key TEXT NOT NULL,
        until REAL NOT NULL,
        message_id TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        PRIMARY KEY (queue, key)
    ) WITHOUT ROWID;
    CREATE INDEX sqs_dedup_until ON sqs_dedup (queue, until);
    CREATE TABLE sqs_attempt (
        queue INTEGER NOT NULL,
        attempt_id TEXT NOT NULL,
        until REAL NOT NULL,
        receipts BLOB NOT NULL,
        PRIMARY KEY (queue, attempt_id)
    ) WITHOUT ROWID;
    CREATE TABLE sqs_move_task (
        id TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        source_arn TEXT NOT NULL,
        destination_arn TEXT,
        rate INTEGER,
        status TEXT NOT NULL,
        started REAL NOT NULL,
        moved INTEGER NOT NULL DEFAULT 0,
        to_move INTEGER NOT NULL,
        failure TEXT
    ) WITHOUT ROWID;
    CREATE INDEX sqs_move_task_source ON sqs_move_task (source_arn, started);
    """,
)
