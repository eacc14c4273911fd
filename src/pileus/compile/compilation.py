"""The template under construction, and what the steps share: roles, aliases, permissions, mistakes."""

from dataclasses import dataclass, field

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.artifacts import Artifacts
from pileus.service.errors import ConfigError
from pileus.service.merge import merge
from pileus.service.model import Function, Service
from pileus.service.tree import Json, Path


@dataclass(frozen=True, slots=True)
class Alias:
    """A function's alias that events go to: for provisioned concurrency and SnapStart."""

    logical_id: str
    name: str


@dataclass(slots=True)
class Compilation:
    """One run of the compiler; every step adds to it."""

    service: Service
    artifacts: Artifacts
    resources: dict[str, Json] = field(default_factory=dict)
    outputs: dict[str, Json] = field(default_factory=dict)
    #: Statements of the role that functions share; the list stands in the template itself.
    statements: list[Json] = field(default_factory=list)
    managed_policies: list[Json] = field(default_factory=list)
    aliases: dict[str, Alias] = field(default_factory=dict)
    errors: list[ConfigError] = field(default_factory=list)

    def add(self, logical_id: str, resource: dict[str, Json]) -> None:
        """Add a resource; it is laid over one that is there already (two events that give one logical id)."""
        before = self.resources.get(logical_id)
        self.resources[logical_id] = resource if before is None else merge(before, resource)

    def output(self, name: str, value: Json, description: str | None = None) -> None:
        """An output, exported under a name that is the service's and the stage's."""
        output: dict[str, Json] = {"Description": description} if description else {}
        output["Value"] = value
        output["Export"] = {"Name": f"sls-{self.service.name}-{self.service.stage}-{name}"}
        self.outputs[name] = output

    def allow(self, actions: Json, resources: Json) -> None:
        """A statement for the shared role, unless the same one is there."""
        statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
        if statement not in self.statements:
            self.statements.append(statement)

    def mistake(self, message: str, path: Path, hint: str | None = None) -> None:
        """Note a mistake and go on: all are reported together."""
        self.errors.append(self.service.mistake(message, path, hint))

    @property
    def bucket(self) -> Json:
        """The deployment bucket's name, or a reference to the one in the template."""
        return deployment_bucket_name(self.service) or fn.ref(naming.DEPLOYMENT_BUCKET)

    def s3_key(self, file_name: str) -> str:
        prefix = self.service.setting("deploymentPrefix")
        prefix = "serverless" if prefix is None else prefix
        return f"{prefix}/{self.service.name}/{self.service.stage}/{self.artifacts.timestamp}/{file_name}"

    def arn(self, function: Function) -> Json:
        """What events invoke: the function, or its alias."""
        arn = fn.get_att(naming.function(function.key))
        alias = self.aliases.get(function.key)
        return fn.join(":", [arn, alias.name]) if alias else arn

    def permit(
        self,
        logical_id: str,
        function: Function,
        principal: Json,
        *,
        source_arn: Json = None,
        source_account: Json = None,
    ) -> None:
        """The permission of a service to invoke a function (or its alias)."""
        properties: dict[str, Json] = {
            "FunctionName": self.arn(function),
            "Action": "lambda:InvokeFunction",
            "Principal": principal,
        }
        if source_arn is not None:
            properties["SourceArn"] = source_arn
        if source_account is not None:
            properties["SourceAccount"] = source_account
        resource: dict[str, Json] = {"Type": "AWS::Lambda::Permission", "Properties": properties}
        if alias := self.aliases.get(function.key):
            resource["DependsOn"] = alias.logical_id
        self.add(logical_id, resource)

    def role_dependencies(self, function: Function) -> list[str]:
        """What an event source mapping waits for: the role that lets it read its source."""
        role = role_of(self.service, function)
        if role is None:
            return [naming.ROLE]
        if isinstance(role, str):
            return [] if role.startswith("arn:") else [role]
        attribute = role.get("Fn::GetAtt") if isinstance(role, dict) else None
        return [attribute[0]] if isinstance(attribute, list) else []


def deployment_bucket_name(service: Service) -> str | None:
    """The bucket that the user named, if any: then no bucket is in the template."""
    bucket = service.setting("deploymentBucket")
    name = bucket.get("name") if isinstance(bucket, dict) else bucket
    return name if isinstance(name, str) and name else None


def provider_role(service: Service) -> Json:
    """A role that the provider brings along for all functions, or None."""
    if legacy := service.setting("role"):
        return legacy
    role = service.setting("iam", "role")
    if isinstance(role, str):
        return role or None
    if isinstance(role, dict) and any(key == "Ref" or key.startswith("Fn::") for key in role):
        return role
    return None


def role_of(service: Service, function: Function) -> Json:
    """The role that a function brings along, its own or the provider's; None: it has the shared one."""
    return function.get("role") or provider_role(service)
