"""`msk`: a topic of a Kafka cluster that AWS manages."""

from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.brokers import access, allow_network, batching, starting
from pileus.compile.events.source_mapping import add_mapping
from pileus.service.model import Event, Function
from pileus.service.tree import Json

_ACTIONS = ["kafka:DescribeCluster", "kafka:GetBootstrapBrokers"]


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    clusters: dict[str, list[Json]] = {}
    for function, event in uses:
        arn, topic = event.get("arn"), event.get("topic")
        name = arn.split("/")[1] if isinstance(arn, str) and "/" in arn else naming.source_name(arn)
        if name is None:
            c.mistake(
                "the cluster's name cannot be told from its ARN", event.path, "use !Ref or !ImportValue"
            )
            continue
        clusters.setdefault(function.key, []).append(arn)
        properties: dict[str, Json] = {
            "EventSourceArn": arn,
            "FunctionName": c.arn(function),
            "Topics": [topic],
            **starting(c, event),
            **batching(event),
        }
        if event.get("consumerGroupId"):
            group = {"ConsumerGroupId": event.get("consumerGroupId")}
            properties["AmazonManagedKafkaEventSourceConfig"] = group
        if event.get("saslScram512"):
            properties["SourceAccessConfigurations"] = [
                access("SASL_SCRAM_512_AUTH", event.get("saslScram512"))
            ]
        suffix = naming.alphanumeric(name) + naming.alphanumeric(topic)
        add_mapping(c, naming.event_source_mapping(function.key, "MSK", suffix), function, properties)
    for arns in clusters.values():
        c.statements.append({"Effect": "Allow", "Action": _ACTIONS, "Resource": arns})
        allow_network(c)
