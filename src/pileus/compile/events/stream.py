"""`stream`: records of a DynamoDB or Kinesis stream, shared or through a consumer of its own (fan-out)."""

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.source_mapping import add_mapping, filter_criteria
from pileus.service.model import Event, Function
from pileus.service.tree import Json

_DYNAMODB = [
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:DescribeStream",
    "dynamodb:ListStreams",
]
_KINESIS = ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListStreams"]
_CONSUMED = [
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:DescribeStreamSummary",
    "kinesis:ListShards",
]
#: Property of the mapping ← setting of the event, where a value of 0 or none is left out.
_OPTIONAL = {
    "MaximumRetryAttempts": "maximumRetryAttempts",
    "MaximumRecordAgeInSeconds": "maximumRecordAgeInSeconds",
    "BisectBatchOnFunctionError": "bisectBatchOnFunctionError",
    "ParallelizationFactor": "parallelizationFactor",
    "TumblingWindowInSeconds": "tumblingWindowInSeconds",
}


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    by_function: dict[str, list[Event]] = {}
    for function, event in uses:
        by_function.setdefault(function.key, []).append(event)
    for key, events in by_function.items():
        read: dict[str, list[Json]] = {
            kind: [] for kind in ("dynamodb", "kinesis", "consumed", "consumer", "sns", "sqs")
        }
        for event in events:
            _stream(c, c.service.functions[key], event, read)
        _allow(c, read)


def _stream(c: Compilation, function: Function, event: Event, read: dict[str, list[Json]]) -> None:
    settings = event.config if isinstance(event.config, dict) and "arn" in event.config else {}
    arn = settings.get("arn", event.config)
    kind = settings.get("type") or (arn.split(":")[2] if isinstance(arn, str) else None)
    if kind not in ("dynamodb", "kinesis"):
        message = "whether this is a DynamoDB or a Kinesis stream cannot be told from its ARN"
        c.mistake(message, event.path, "set 'type: dynamodb' or 'type: kinesis'")
        return
    name = _stream_name(arn)
    if name is None:
        c.mistake("the stream's name cannot be told from its ARN", event.path, "use !GetAtt Table.StreamArn")
        return
    properties: dict[str, Json] = {"BatchSize": settings.get("batchSize") or 10}
    properties["Enabled"] = settings.get("enabled", True) is not False
    properties["EventSourceArn"] = arn
    properties["FunctionName"] = c.arn(function)
    properties["StartingPosition"] = settings.get("startingPosition") or "TRIM_HORIZON"
    if properties["StartingPosition"] == "AT_TIMESTAMP" and settings.get("consumer"):
        if settings.get("startingPositionTimestamp") is None:
            c.mistake("AT_TIMESTAMP needs a 'startingPositionTimestamp'", event.path)
        # As v3 does: for a stream that is read without a consumer the time does not reach the template.
        properties["StartingPositionTimestamp"] = settings.get("startingPositionTimestamp")
    if settings.get("batchWindow") is not None:
        properties["MaximumBatchingWindowInSeconds"] = settings["batchWindow"]
    for target, source in _OPTIONAL.items():
        if settings.get(source) is not None:
            properties[target] = settings[source]
    if settings.get("functionResponseType"):
        properties["FunctionResponseTypes"] = [settings["functionResponseType"]]
    if settings.get("filterPatterns"):
        properties["FilterCriteria"] = filter_criteria(settings["filterPatterns"])
    if settings.get("destinations"):
        _on_failure(c, event, settings["destinations"]["onFailure"], properties, read)
    made: dict[str, Json] = {}
    consumer = settings.get("consumer")
    if kind == "kinesis" and consumer:
        _consume(c, function, arn, name, consumer, properties, made, read)
    elif kind == "kinesis":
        read["kinesis"].append(arn)
    else:
        read["dynamodb"].append(arn)
    word = "Dynamodb" if kind == "dynamodb" else "Kinesis"
    logical_id = naming.event_source_mapping(function.key, word, naming.alphanumeric(name))
    add_mapping(c, logical_id, function, properties, list(made))
    c.resources.update(made)


def _stream_name(arn: Json) -> str | None:
    if isinstance(arn, str):
        parts = arn.split("/")
        return parts[1] if len(parts) > 1 else None
    name = naming.source_name(arn)
    if isinstance(arn, dict) and "Fn::Join" in arn and name is not None:
        return name.rpartition("/")[2]
    return name


def _on_failure(
    c: Compilation, event: Event, target: Json, properties: dict[str, Json], read: dict[str, list[Json]]
) -> None:
    arn = target["arn"] if isinstance(target, dict) else target
    kind = target.get("type") if isinstance(target, dict) else None
    kind = kind or (arn.split(":")[2] if isinstance(arn, str) else None)
    if kind not in ("sns", "sqs"):
        message = "whether this destination is a queue or a topic cannot be told from its ARN"
        c.mistake(message, (*event.path, "destinations", "onFailure"), "set 'type: sqs' or 'type: sns'")
        return
    properties["DestinationConfig"] = {"OnFailure": {"Destination": arn}}
    read[kind].append(arn)


def _consume(
    c: Compilation,
    function: Function,
    arn: Json,
    name: str,
    consumer: Json,
    properties: dict[str, Json],
    made: dict[str, Json],
    read: dict[str, list[Json]],
) -> None:
    """Read through a consumer: the given one, or one of its own, which goes to `made`."""
    read["consumed"].append(arn)
    if consumer is True:
        service = (
            f"{c.service.name}{c.service.stage}" if c.service.setting("kinesis", "consumerNamingMode") else ""
        )
        consumer_name = f"{function.key}{name}{service}Consumer"
        logical_id = f"{naming.normalise(consumer_name)}StreamConsumer"
        settings = {"StreamARN": arn, "ConsumerName": consumer_name}
        made[logical_id] = {"Type": "AWS::Kinesis::StreamConsumer", "Properties": settings}
        consumer = fn.ref(logical_id)
    properties["EventSourceArn"] = consumer
    read["consumer"].append(consumer)


def _allow(c: Compilation, read: dict[str, list[Json]]) -> None:
    statements = (
        ("dynamodb", _DYNAMODB),
        ("kinesis", _KINESIS),
        ("consumed", _CONSUMED),
        ("consumer", ["kinesis:SubscribeToShard"]),
        ("sns", ["sns:Publish"]),
        ("sqs", ["sqs:ListQueues", "sqs:SendMessage"]),
    )
    for name, actions in statements:
        if read[name]:
            c.statements.append({"Effect": "Allow", "Action": actions, "Resource": read[name]})
