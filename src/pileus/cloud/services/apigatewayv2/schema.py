"""The tables.

Every entity is a document in the words of AWS's own API, under (account, region, kind, parent, id). `parent` is the
API's id, or the domain's name for its mappings; what is two levels down has both in its id (`route/response`). `handle`
is a second name that is unique within the parent: a route's key, a mapping's path.
"""

MIGRATIONS = (
    """
    CREATE TABLE apigatewayv2_item (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        kind TEXT NOT NULL,
        parent TEXT NOT NULL,
        id TEXT NOT NULL,
        handle TEXT,
        document BLOB NOT NULL,
        PRIMARY KEY (account, region, kind, parent, id)
    ) WITHOUT ROWID;
    CREATE INDEX apigatewayv2_handle ON apigatewayv2_item (account, region, kind, parent, handle)
        WHERE handle IS NOT NULL;
    CREATE INDEX apigatewayv2_parent ON apigatewayv2_item (account, region, parent) WHERE parent <> '';
    CREATE INDEX apigatewayv2_id ON apigatewayv2_item (kind, id);
    """,
)
