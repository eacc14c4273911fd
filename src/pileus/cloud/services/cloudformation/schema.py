"""Tables of stacks.

cfn_stack.operation is the work under way (JSON), NULL when the stack is at rest. cfn_resource is what there is now.
cfn_saved is what an update must remember until it is over: the row of each resource before it was first touched
(kind `before`; NULL where it is new), and physical resources that a rollback has put aside to delete (`leftover`).
"""

from __future__ import annotations

MIGRATIONS = (
    """
    CREATE TABLE cfn_stack (
        id TEXT NOT NULL PRIMARY KEY,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        status TEXT NOT NULL,
        reason TEXT,
        created REAL NOT NULL,
        updated REAL,
        deleted REAL,
        parent TEXT,
        body TEXT NOT NULL,
        detail BLOB NOT NULL,
        operation BLOB,
        operation_id TEXT
    );
    CREATE UNIQUE INDEX cfn_stack_name ON cfn_stack (account, region, name) WHERE deleted IS NULL;
    CREATE INDEX cfn_stack_place ON cfn_stack (account, region, created DESC, id);
    CREATE INDEX cfn_stack_parent ON cfn_stack (parent) WHERE parent IS NOT NULL;
    CREATE TABLE cfn_resource (
        stack TEXT NOT NULL,
        logical_id TEXT NOT NULL,
        position INTEGER NOT NULL,
        physical_id TEXT,
        type TEXT NOT NULL,
        status TEXT NOT NULL,
        reason TEXT,
        updated REAL NOT NULL,
        applied TEXT NOT NULL,
        detail BLOB NOT NULL,
        PRIMARY KEY (stack, logical_id)
    ) WITHOUT ROWID;
    CREATE INDEX cfn_resource_physical ON cfn_resource (physical_id, stack);
    CREATE TABLE cfn_saved (
        id INTEGER PRIMARY KEY,
        stack TEXT NOT NULL,
        logical_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        resource BLOB
    );
    CREATE UNIQUE INDEX cfn_saved_before ON cfn_saved (stack, logical_id) WHERE kind='before';
    CREATE INDEX cfn_saved_stack ON cfn_saved (stack, kind, logical_id);
    CREATE TABLE cfn_event (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        stack TEXT NOT NULL,
        event_id TEXT NOT NULL,
        logical_id TEXT NOT NULL,
        physical_id TEXT,
        type TEXT NOT NULL,
        time REAL NOT NULL,
        status TEXT NOT NULL,
        reason TEXT,
        token TEXT
    );
    CREATE INDEX cfn_event_stack ON cfn_event (stack, id);
    CREATE TABLE cfn_export (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        stack TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (account, region, name)
    ) WITHOUT ROWID;
    CREATE INDEX cfn_export_stack ON cfn_export (stack);
    CREATE TABLE cfn_import (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        stack TEXT NOT NULL,
        PRIMARY KEY (account, region, name, stack)
    ) WITHOUT ROWID;
    CREATE INDEX cfn_import_stack ON cfn_import (stack);
    CREATE TABLE cfn_change_set (
        id TEXT NOT NULL PRIMARY KEY,
        stack TEXT NOT NULL,
        name TEXT NOT NULL,
        created REAL NOT NULL,
        status TEXT NOT NULL,
        reason TEXT,
        execution TEXT NOT NULL,
        body TEXT NOT NULL,
        detail BLOB NOT NULL
    );
    CREATE UNIQUE INDEX cfn_change_set_name ON cfn_change_set (stack, name);
    CREATE TABLE cfn_custom (
        token TEXT NOT NULL PRIMARY KEY,
        stack TEXT NOT NULL,
        logical_id TEXT NOT NULL,
        request TEXT NOT NULL,
        response BLOB
    ) WITHOUT ROWID;
    CREATE INDEX cfn_custom_stack ON cfn_custom (stack, logical_id);
    """,
)
