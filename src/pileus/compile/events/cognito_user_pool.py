"""`cognitoUserPool`: triggers of a user pool that is made here, or (`existing: true`) of one from elsewhere.

The user's `resources` may add to a pool that is made here. One from elsewhere is changed by a custom resource.
"""

from pileus.compile import custom_resources, naming
from pileus.compile import intrinsics as fn
from pileus.compile.compilation import Compilation
from pileus.service.model import Event, Function
from pileus.service.tree import Json

#: Triggers whose messages are encrypted, with a version of the event.
_SENDERS = ("CustomSMSSender", "CustomEmailSender")
_POOLS = ["cognito-idp:ListUserPools", "cognito-idp:DescribeUserPool", "cognito-idp:UpdateUserPool"]


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    _check_keys(c, uses)
    own = [(function, event) for function, event in uses if not event.get("existing")]
    permitted = [(function, event, _trigger(c, function, event)) for function, event in own]
    for function, event, pool_id in permitted:
        permission = naming.permission(function.key, f"{pool_id}TriggerSource{event.get('trigger')}")
        c.permit(permission, function, "cognito-idp.amazonaws.com", source_arn=fn.get_att(pool_id))
    existing = [(function, event) for function, event in uses if event.get("existing")]
    if existing:
        _existing(c, existing)


def _check_keys(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    """Senders need a key, and a pool has one key for all of them."""
    keys: dict[str, Json] = {}
    for _, event in uses:
        trigger, pool, key = event.get("trigger"), str(event.get("pool")), event.get("kmsKeyId")
        if trigger not in _SENDERS:
            continue
        if not key:
            c.mistake(f"the trigger {trigger} needs a 'kmsKeyId'", event.path, "kmsKeyId: !GetAtt Key.Arn")
        elif keys.setdefault(pool, key) != key:
            message = f"the user pool '{pool}' can have one KMS key only"
            c.mistake(message, (*event.path, "kmsKeyId"), "give all triggers of the pool the same key")


def _trigger(c: Compilation, function: Function, event: Event) -> str:
    """Add a trigger to its pool, which is made by the first; the pool's logical id."""
    pool_id = f"CognitoUserPool{naming.alphanumeric(str(event.get('pool')))}"
    if pool_id not in c.resources:
        properties: dict[str, Json] = {"UserPoolName": event.get("pool"), "LambdaConfig": {}}
        c.add(pool_id, {"Type": "AWS::Cognito::UserPool", "Properties": properties, "DependsOn": []})
    resource = c.resources[pool_id]
    triggers = resource["Properties"]["LambdaConfig"]
    trigger = event.get("trigger")
    if trigger in _SENDERS:
        triggers[trigger] = {"LambdaArn": c.arn(function), "LambdaVersion": "V1_0"}
        triggers["KMSKeyID"] = event.get("kmsKeyId")
    else:
        triggers[trigger] = c.arn(function)
    alias = c.aliases.get(function.key)
    resource["DependsOn"].append(alias.logical_id if alias else naming.function(function.key))
    return pool_id


def _existing(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    """One custom resource a function; those on one pool wait for each other, as each rewrites the whole."""
    handler = custom_resources.function_id("existing-cup")
    previous: dict[str, str] = {}
    by_function: dict[str, list[Event]] = {}
    for function, event in uses:
        by_function.setdefault(function.key, []).append(event)
    for key, events in by_function.items():
        pool = str(events[0].get("pool"))
        for event in events:
            if event.get("pool") != pool:
                message = f"the function '{key}' can have one existing user pool only"
                c.mistake(message, (*event.path, "pool"), "make a function for each pool")
        after = [naming.function(key), handler, *([previous[pool]] if pool in previous else [])]
        previous[pool] = logical_id = f"{naming.normalise(key)}CustomCognitoUserPool1"
        properties: dict[str, Json] = {
            "ServiceToken": fn.get_att(handler),
            "FunctionName": c.service.functions[key].name,
            "UserPoolName": pool,
            "UserPoolConfigs": [_pool_config(event) for event in events],
        }
        if events[0].get("forceDeploy"):
            properties["ForceDeploy"] = int(c.service.instance)
        kind = "Custom::CognitoUserPool"
        resource = {"Type": kind, "Version": 1, "DependsOn": after, "Properties": properties}
        c.add(logical_id, resource)
    custom_resources.add(c, "existing-cup", "cognito-user-pool/handler.handler", _statements(uses))


def _pool_config(event: Event) -> dict[str, Json]:
    config: dict[str, Json] = {"Trigger": event.get("trigger")}
    if event.get("trigger") in _SENDERS:
        config |= {"LambdaVersion": "V1_0", "KMSKeyID": event.get("kmsKeyId")}
    return config


def _statements(uses: list[tuple[Function, Event]]) -> list[Json]:
    found: list[Json] = [{"Effect": "Allow", "Resource": "*", "Action": _POOLS}]
    for function, event in uses:
        if event.get("kmsKeyId"):
            found.append(
                {"Effect": "Allow", "Resource": event.get("kmsKeyId"), "Action": ["kms:CreateGrant"]}
            )
        arn = fn.sub(f"arn:${{AWS::Partition}}:lambda:*:*:function:{function.name}")
        actions = ["lambda:AddPermission", "lambda:RemovePermission"]
        found.append({"Effect": "Allow", "Resource": arn, "Action": actions})
    roles = fn.sub("arn:${AWS::Partition}:iam::*:role/*")
    found.append({"Effect": "Allow", "Resource": roles, "Action": ["iam:PassRole"]})
    return [statement for index, statement in enumerate(found) if statement not in found[:index]]
