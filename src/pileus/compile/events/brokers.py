"""Event source mappings of message brokers: ActiveMQ, RabbitMQ, and Kafka managed by AWS or not."""

from pileus.compile.compilation import Compilation
from pileus.compile.events.source_mapping import filter_criteria
from pileus.service.model import Event
from pileus.service.tree import Json

_NETWORK = [
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeVpcs",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
]


def allow_network(c: Compilation) -> None:
    """What Lambda's pollers need to reach a broker inside a VPC."""
    c.statements.append({"Effect": "Allow", "Action": _NETWORK, "Resource": "*"})


def allow_secrets(c: Compilation, secrets: list[Json]) -> None:
    if secrets:
        statement = {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": secrets}
        c.statements.append(statement)


def batching(event: Event) -> dict[str, Json]:
    """Properties that all of them have in common; only what is given is set."""
    properties: dict[str, Json] = {}
    if event.get("batchSize"):
        properties["BatchSize"] = event.get("batchSize")
    if event.get("maximumBatchingWindow"):
        properties["MaximumBatchingWindowInSeconds"] = event.get("maximumBatchingWindow")
    if event.get("enabled") is not None:
        properties["Enabled"] = event.get("enabled")
    if event.get("filterPatterns"):
        properties["FilterCriteria"] = filter_criteria(event.get("filterPatterns"))
    return properties


def starting(c: Compilation, event: Event) -> dict[str, Json]:
    """Where in a topic reading begins."""
    position = event.get("startingPosition") or "TRIM_HORIZON"
    properties: dict[str, Json] = {"StartingPosition": position}
    if position == "AT_TIMESTAMP":
        if event.get("startingPositionTimestamp") is None:
            c.mistake("AT_TIMESTAMP needs a 'startingPositionTimestamp'", event.path)
        properties["StartingPositionTimestamp"] = event.get("startingPositionTimestamp")
    return properties


def access(kind: str, uri: Json) -> dict[str, Json]:
    return {"Type": kind, "URI": uri}
