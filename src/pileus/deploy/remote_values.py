"""Variables that ask a cloud (`${aws:}`, `${cf:}`, `${ssm:}`, `${s3:}`), answered by the embedded one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..cloud.kernel import AwsError
from ..service.variables.source import VariableError

if TYPE_CHECKING:
    from ..cloud.kernel import Cloud


class EmbeddedValues:
    """The RemoteResolver of `pileus offline`. cloud: gives it, once a variable asks. region: where one names none."""

    def __init__(self, cloud: Callable[[], Cloud], region: str) -> None:
        self._open = cloud
        self._region = region

    @property
    def _cloud(self) -> Cloud:
        return self._open()

    def account_id(self) -> str:
        return self._cloud.settings.account

    def stack_output(self, stack: str, output: str, region: str | None) -> str | None:
        request = {"StackName": stack}
        try:
            found = self._cloud.call(
                "cloudformation", "DescribeStacks", request, region=region or self._region
            )
        except AwsError:
            return None
        outputs = found["Stacks"][0].get("Outputs") or ()
        return next((o["OutputValue"] for o in outputs if o["OutputKey"] == output), None)

    def parameter(self, name: str, region: str | None, *, decrypt: bool) -> tuple[str, str] | None:
        if name.startswith("/aws/reference/secretsmanager/"):
            return self._secret(name.removeprefix("/aws/reference/secretsmanager/"), region)
        request = {"Name": name, "WithDecryption": decrypt}
        try:
            found = self._cloud.call("ssm", "GetParameter", request, region=region or self._region)[
                "Parameter"
            ]
        except AwsError:
            return None
        return found["Type"], found["Value"]

    def _secret(self, secret_id: str, region: str | None) -> tuple[str, str] | None:
        request = {"SecretId": secret_id}
        try:
            found = self._cloud.call(
                "secretsmanager", "GetSecretValue", request, region=region or self._region
            )
        except AwsError:
            return None
        return "SecureString", found.get("SecretString", "")

    def object_text(self, bucket: str, key: str) -> str | None:
        raise VariableError(
            "${s3:} cannot be read from the embedded cloud yet",
            "give a fallback, as in ${s3:bucket/key, 'value'}",
        )
