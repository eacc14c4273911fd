"""`cognitoUserPool`: triggers of a user pool that is made here; the user's `resources` may add to it."""

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.service.model import Event, Function
from pileus.service.tree import Json

#: Triggers whose messages are encrypted, with a version of the event.
_SENDERS = ("CustomSMSSender", "CustomEmailSender")


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    permitted: list[tuple[Function, str, str]] = []
    for function, event in uses:
        if event.get("existing"):
            message = "triggers of an existing user pool cannot be compiled yet"
            c.mistake(message, (*event.path, "existing"), "make the pool in this service")
            continue
        pool_id = f"CognitoUserPool{naming.alphanumeric(event.get('pool'))}"
        _trigger(c, function, event, pool_id)
        permitted.append((function, pool_id, event.get("trigger")))
    for function, pool_id, trigger in permitted:
        permission = naming.permission(function.key, f"{pool_id}TriggerSource{trigger}")
        c.permit(permission, function, "cognito-idp.amazonaws.com", source_arn=fn.get_att(pool_id))


def _trigger(c: Compilation, function: Function, event: Event, pool_id: str) -> None:
    if pool_id not in c.resources:
        properties: dict[str, Json] = {"UserPoolName": event.get("pool"), "LambdaConfig": {}}
        c.add(pool_id, {"Type": "AWS::Cognito::UserPool", "Properties": properties, "DependsOn": []})
    resource = c.resources[pool_id]
    triggers = resource["Properties"]["LambdaConfig"]
    trigger = event.get("trigger")
    if trigger in _SENDERS:
        triggers[trigger] = {"LambdaArn": c.arn(function), "LambdaVersion": "V1_0"}
        if not event.get("kmsKeyId"):
            c.mistake(f"the trigger {trigger} needs a 'kmsKeyId'", event.path)
        triggers["KMSKeyID"] = event.get("kmsKeyId")
    else:
        triggers[trigger] = c.arn(function)
    resource["DependsOn"].append(naming.function(function.key))
    if alias := c.aliases.get(function.key):
        resource["DependsOn"].append(alias.logical_id)
