"""The tables.

Every entity is a document in AWS's own wire shape, under (account, region, kind, parent, id): the parent is the API's
id, or the usage plan's for its keys. `handle` is a second name by which an entity is found: an API key's value, a
resource's place under its parent, the deployment of a stage. Reads go by primary key or by one of the two indexes.
"""

MIGRATIONS = (
    """
    CREATE TABLE apigateway_item (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        kind TEXT NOT NULL,
        parent TEXT NOT NULL,
        id TEXT NOT NULL,
        handle TEXT,
        document BLOB NOT NULL,
        PRIMARY KEY (account, region, kind, parent, id)
    ) WITHOUT ROWID;
    CREATE INDEX apigateway_handle ON apigateway_item (account, region, kind, handle) WHERE handle IS NOT NULL;
    CREATE INDEX apigateway_parent ON apigateway_item (account, region, parent) WHERE parent <> '';
    CREATE INDEX apigateway_id ON apigateway_item (kind, id);
    CREATE TABLE apigateway_usage (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        plan TEXT NOT NULL,
        key TEXT NOT NULL,
        day TEXT NOT NULL,
        used INTEGER NOT NULL,
        PRIMARY KEY (account, region, plan, key, day)
    ) WITHOUT ROWID;
    """,
)
