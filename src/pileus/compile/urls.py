"""Function URLs: the URL, its CORS settings, and the permission that makes it public."""

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.service.model import Function
from pileus.service.tree import Json

_HEADERS = [
    "Content-Type",
    "X-Amz-Date",
    "Authorization",
    "X-Api-Key",
    "X-Amz-Security-Token",
    "X-Amzn-Trace-Id",
]


def compile_url(c: Compilation, function: Function) -> None:
    url = function.get("url")
    if not url:
        return
    settings = url if isinstance(url, dict) else {}
    public = settings.get("authorizer") != "aws_iam"
    alias = c.aliases.get(function.key)
    properties: dict[str, Json] = {
        "AuthType": "NONE" if public else "AWS_IAM",
        "TargetFunctionArn": c.arn(function),
    }
    resource: dict[str, Json] = {"Type": "AWS::Lambda::Url", "Properties": properties}
    if alias:
        resource["DependsOn"] = alias.logical_id
    if settings.get("cors") not in (None, False):
        properties["Cors"] = _cors(settings["cors"])
    if settings.get("invokeMode") == "RESPONSE_STREAM":
        properties["InvokeMode"] = "RESPONSE_STREAM"
    logical_id = naming.function_url(function.key)
    c.add(logical_id, resource)
    c.output(logical_id, fn.get_att(logical_id, "FunctionUrl"), "Lambda Function URL")
    if public:
        permission: dict[str, Json] = {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": c.arn(function),
                "Action": "lambda:InvokeFunctionUrl",
                "Principal": "*",
                "FunctionUrlAuthType": "NONE",
            },
        }
        if alias:
            permission["DependsOn"] = alias.logical_id
        c.add(naming.function_url_permission(function.key), permission)


def _cors(cors: Json) -> dict[str, Json]:
    given = cors if isinstance(cors, dict) else {}
    settings: dict[str, Json] = {}
    if given.get("allowCredentials"):
        settings["AllowCredentials"] = True
    lists = (
        ("AllowHeaders", "allowedHeaders", _HEADERS),
        ("AllowMethods", "allowedMethods", ["*"]),
        ("AllowOrigins", "allowedOrigins", ["*"]),
    )
    for name, key, default in lists:
        if key not in given:
            settings[name] = list(default)
        elif given[key] is not None:  # null takes the default away
            settings[name] = list(dict.fromkeys(given[key]))
    if given.get("exposedResponseHeaders"):
        settings["ExposeHeaders"] = list(dict.fromkeys(given["exposedResponseHeaders"]))
    if given.get("maxAge") is not None:
        settings["MaxAge"] = given["maxAge"]
    return settings
