"""`sqs`: a queue's messages in batches, through an event source mapping."""

from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.source_mapping import add_mapping, filter_criteria
from pileus.service.model import Event, Function
from pileus.service.tree import Json

_ACTIONS = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    arns: list[Json] = []
    for function, event in uses:
        settings = event.config if isinstance(event.config, dict) else {}
        arn = settings.get("arn") if isinstance(event.config, dict) else event.config
        name = None if isinstance(arn, dict) and "Ref" in arn else naming.source_name(arn)
        if name is None:
            bare = isinstance(event.config, dict) and any(key.startswith("Fn::") for key in event.config)
            hint = "write it under 'arn': sqs: {arn: !GetAtt Queue.Arn}" if bare else "use !GetAtt Queue.Arn"
            c.mistake("the queue has no name that can be told from this ARN", event.path, hint)
            continue
        properties: dict[str, Json] = {"BatchSize": settings.get("batchSize") or 10}
        if settings.get("maximumBatchingWindow") is not None:
            properties["MaximumBatchingWindowInSeconds"] = settings["maximumBatchingWindow"]
        properties["EventSourceArn"] = arn
        properties["FunctionName"] = c.arn(function)
        properties["Enabled"] = settings.get("enabled", True) is not False
        if settings.get("functionResponseType"):
            properties["FunctionResponseTypes"] = [settings["functionResponseType"]]
        if settings.get("filterPatterns"):
            properties["FilterCriteria"] = filter_criteria(settings["filterPatterns"])
        if settings.get("maximumConcurrency"):
            properties["ScalingConfig"] = {"MaximumConcurrency": settings["maximumConcurrency"]}
        logical_id = naming.event_source_mapping(function.key, "SQS", naming.alphanumeric(name))
        add_mapping(c, logical_id, function, properties)
        arns.append(arn)
    if arns:
        c.statements.append({"Effect": "Allow", "Action": _ACTIONS, "Resource": arns})
