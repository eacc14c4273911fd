"""The account-wide role that API Gateway logs with, set by a custom resource: REST and WebSocket APIs share it."""

from pileus.compile import custom_resources, naming
from pileus.compile import intrinsics as fn
from pileus.compile.compilation import Compilation
from pileus.service.tree import Json

_KIND = "apigw-cw-role"


def compile_account_log_role(c: Compilation) -> None:
    """Once a template, unless the user sees to the role themselves."""
    logs = c.service.setting("logs", "restApi")
    settings = logs if isinstance(logs, dict) else {}
    if naming.REST_ACCOUNT_ROLE in c.resources or settings.get("roleManagedExternally"):
        return
    properties: dict[str, Json] = {"ServiceToken": fn.get_att(custom_resources.function_id(_KIND))}
    if settings.get("role"):
        properties["RoleArn"] = settings["role"]
    elif logs is False:
        properties["RoleArn"] = (
            False  # the framework passes the switch on; the custom resource makes a role then
        )
    resource = {"Type": "Custom::ApiGatewayAccountRole", "Version": 1, "Properties": properties}
    c.add(naming.REST_ACCOUNT_ROLE, resource)
    roles = fn.join(":", ["arn", fn.PARTITION, "iam:", fn.ACCOUNT_ID, "role/*"])
    role_actions = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:ListAttachedRolePolicies", "iam:PassRole"]
    account = fn.join(":", ["arn", fn.PARTITION, "apigateway:*::/account"])
    statements: list[Json] = [
        {"Effect": "Allow", "Resource": roles, "Action": role_actions},
        {"Effect": "Allow", "Resource": account, "Action": ["apigateway:GET", "apigateway:PATCH"]},
    ]
    custom_resources.add(c, _KIND, "api-gateway-cloud-watch-role/handler.handler", statements)
