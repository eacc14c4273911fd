"""`activemq` and `rabbitmq`: a queue of a broker in Amazon MQ."""

from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.brokers import access, allow_network, allow_secrets, batching
from pileus.compile.events.source_mapping import add_mapping
from pileus.service.model import Event, Function
from pileus.service.tree import Json


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    compile_queues(c, uses, "ActiveMQ")


def compile_queues(c: Compilation, uses: list[tuple[Function, Event]], word: str) -> None:
    """`word` stands in the logical ids."""
    brokers: dict[str, list[Event]] = {}
    for function, event in uses:
        brokers.setdefault(function.key, []).append(event)
        accesses = [access("BASIC_AUTH", event.get("basicAuthArn"))]
        if event.get("virtualHost"):
            accesses.append(access("VIRTUAL_HOST", event.get("virtualHost")))
        properties: dict[str, Json] = {
            "FunctionName": c.arn(function),
            "EventSourceArn": event.get("arn"),
            "Queues": [event.get("queue")],
            "SourceAccessConfigurations": accesses,
            **batching(event),
        }
        name = naming.alphanumeric(event.get("queue"))
        add_mapping(c, naming.event_source_mapping(function.key, word, name), function, properties)
    for events in brokers.values():
        allow_secrets(c, [event.get("basicAuthArn") for event in events])
        arns = [event.get("arn") for event in events]
        c.statements.append({"Effect": "Allow", "Action": ["mq:DescribeBroker"], "Resource": arns})
        allow_network(c)
