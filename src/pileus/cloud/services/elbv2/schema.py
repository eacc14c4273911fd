"""The tables: every entity is a document in AWS's wire shape under its ARN, which is unique in the world.

`parent` is a listener's load balancer and a rule's listener; `name` is how load balancers and target groups are found.
"""

MIGRATIONS = (
    """
    CREATE TABLE elbv2_item (
        arn TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        kind TEXT NOT NULL,
        parent TEXT NOT NULL,
        name TEXT NOT NULL,
        document BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX elbv2_parent ON elbv2_item (parent, arn) WHERE parent <> '';
    CREATE INDEX elbv2_kind ON elbv2_item (account, region, kind, arn);
    CREATE INDEX elbv2_name ON elbv2_item (account, region, kind, name) WHERE name <> '';
    """,
)
