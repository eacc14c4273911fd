"""Tables of CloudWatch metrics.

A metric is a namespace, a name and a set of dimensions. Its data points are kept twice over: `cloudwatch_value` holds
each value once per moment and unit with how often it came (what percentiles need; a thousand Invocations=1 in a minute
are one row), `cloudwatch_summary` adds up the statistic sets that have no values of their own. Both are clustered by
metric and time, so that a query reads its metric's range and nothing else. Times are whole seconds: minutes for metrics
of standard resolution.
"""

MIGRATIONS = (
    """
    CREATE TABLE cloudwatch_metric (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        dimensions TEXT NOT NULL,
        active REAL NOT NULL,
        UNIQUE (account, region, namespace, name, dimensions)
    );
    CREATE INDEX cloudwatch_metric_name ON cloudwatch_metric (account, region, name, namespace, dimensions);
    CREATE TABLE cloudwatch_dimension (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        metric_id INTEGER NOT NULL,
        PRIMARY KEY (account, region, name, value, metric_id)
    ) WITHOUT ROWID;
    CREATE TABLE cloudwatch_value (
        metric_id INTEGER NOT NULL,
        time INTEGER NOT NULL,
        unit TEXT NOT NULL,
        value REAL NOT NULL,
        count REAL NOT NULL,
        PRIMARY KEY (metric_id, time, unit, value)
    ) WITHOUT ROWID;
    CREATE TABLE cloudwatch_summary (
        metric_id INTEGER NOT NULL,
        time INTEGER NOT NULL,
        unit TEXT NOT NULL,
        count REAL NOT NULL,
        total REAL NOT NULL,
        low REAL NOT NULL,
        high REAL NOT NULL,
        PRIMARY KEY (metric_id, time, unit)
    ) WITHOUT ROWID;
    """,
)
