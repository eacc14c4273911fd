"""Variables that ask a cloud (`${aws:}`, `${cf:}`, `${ssm:}`, `${s3:}`): AWS itself, or the embedded one.

botocore and the embedded cloud are imported when the first variable asks, not before: most files ask nothing.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from ..service.variables.source import Place, VariableError

if TYPE_CHECKING:
    from ..cloud.kernel import AwsError, Cloud

#: Codes that say that there is no such value, by operation; a fallback may stand in. Any other is a refusal.
_ABSENT = {
    "DescribeStacks": frozenset(("ValidationError",)),
    "GetParameter": frozenset(("ParameterNotFound", "ParameterVersionNotFound")),
    "GetSecretValue": frozenset(("ResourceNotFoundException",)),
    "GetObject": frozenset(("NoSuchKey",)),
}
_SECRETS = "/aws/reference/secretsmanager/"


class AwsValues:
    """The RemoteResolver that asks AWS, or what AWS_ENDPOINT_URL names, through botocore.

    Credentials: of the profile where one is named, else of the environment that the service sees (.env included), else
    of botocore's chain. Each question is asked once.
    """

    parallel = True

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str, str | None], Any] = {}
        self._answers: dict[tuple[str, str, str], dict[str, Any] | VariableError | None] = {}

    def account_id(self, where: Place) -> str:
        found = self._ask("sts", "GetCallerIdentity", {}, where)
        return str((found or {})["Account"])

    def stack_output(self, stack: str, output: str, where: Place) -> str | None:
        return _output(self._ask("cloudformation", "DescribeStacks", {"StackName": stack}, where), output)

    def parameter(self, name: str, where: Place, *, decrypt: bool) -> tuple[str, str] | None:
        found = self._ask("ssm", "GetParameter", {"Name": name, "WithDecryption": decrypt}, where)
        return None if found is None else (found["Parameter"]["Type"], found["Parameter"]["Value"])

    def object_text(self, bucket: str, key: str, where: Place) -> str | None:
        found = self._ask("s3", "GetObject", {"Bucket": bucket, "Key": key}, where)
        return None if found is None else str(found["Text"])

    def _ask(
        self, service: str, operation: str, request: dict[str, Any], where: Place
    ) -> dict[str, Any] | None:
        question = (where.region, operation, repr(request))
        if question not in self._answers:
            try:
                self._answers[question] = self._call(service, operation, request, where)
            except VariableError as error:
                self._answers[question] = error
        answer = self._answers[question]
        if isinstance(answer, VariableError):
            raise VariableError(str(answer), answer.hint)
        return answer

    def _call(
        self, service: str, operation: str, request: dict[str, Any], where: Place
    ) -> dict[str, Any] | None:
        from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, HTTPClientError

        try:
            client = self._client(service, where)
            found: dict[str, Any] = client._make_api_call(operation, request)
            if operation == "GetObject":
                found["Text"] = found["Body"].read().decode("utf-8", "replace")
            return found
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
            if code in _ABSENT.get(operation, ()):
                return None
            raise _refused(service, operation, code, message) from error
        except (HTTPClientError, EndpointConnectionError) as error:
            hint = "check the network, the region and AWS_ENDPOINT_URL"
            raise VariableError(f"{service} {operation} in {where.region}: {error}", hint) from error
        except BotoCoreError as error:
            raise VariableError(f"AWS cannot be asked: {error}", _remedy(error)) from error

    def _client(self, service: str, where: Place) -> Any:
        with self._lock:  # sessions are not made for several threads; clients are
            known = self._clients.get((service, where.region, where.profile))
            if known is None:
                known = _new_client(service, where)
                self._clients[service, where.region, where.profile] = known
            return known


def _new_client(service: str, where: Place) -> Any:
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import NoCredentialsError

    session = botocore.session.Session(profile=where.profile)
    environ = where.environ
    given: dict[str, str] = {}
    if where.profile is None and environ.get("AWS_ACCESS_KEY_ID"):
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        given = {name.lower(): environ[name] for name in names if environ.get(name)}
    elif session.get_credentials() is None:
        raise NoCredentialsError
    suffix = session.get_service_model(service).service_id.upper().replace(" ", "_")
    endpoint = environ.get(f"AWS_ENDPOINT_URL_{suffix}") or environ.get("AWS_ENDPOINT_URL")
    s3 = {"addressing_style": "path"} if endpoint else {}
    config = Config(retries={"mode": "standard"}, connect_timeout=10, read_timeout=30, s3=s3)
    return session.create_client(
        service, region_name=where.region, endpoint_url=endpoint, config=config, **given
    )


def _remedy(error: Exception) -> str | None:
    name = type(error).__name__
    if name in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"):
        return "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --aws-profile"
    if name == "ProfileNotFound":
        return "check --aws-profile, provider.profile and AWS_PROFILE against ~/.aws/config"
    if "SSO" in name or "Token" in name:
        return "sign in again: aws sso login"
    return None


def _refused(service: str, operation: str, code: str, message: str) -> VariableError:
    hint = None
    if code in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"):
        hint = f"allow {service}:{operation} to whoever runs this"
    elif "Token" in code or code in ("UnrecognizedClientException", "SignatureDoesNotMatch", "AuthFailure"):
        hint = "the credentials are wrong or have expired"
    return VariableError(f"{service} {operation} answers {code}: {message}", hint)


def _output(found: Mapping[str, Any] | None, output: str) -> str | None:
    outputs = (found["Stacks"][0].get("Outputs") or ()) if found and found["Stacks"] else ()
    return next((str(o["OutputValue"]) for o in outputs if o["OutputKey"] == output), None)


class EmbeddedValues:
    """The RemoteResolver of `pileus offline`. cloud: gives it, once a variable asks."""

    parallel = False

    def __init__(self, cloud: Callable[[], Cloud]) -> None:
        self._open = cloud

    def account_id(self, where: Place) -> str:
        return self._open().settings.account

    def stack_output(self, stack: str, output: str, where: Place) -> str | None:
        return _output(self._ask("cloudformation", "DescribeStacks", {"StackName": stack}, where), output)

    def parameter(self, name: str, where: Place, *, decrypt: bool) -> tuple[str, str] | None:
        if name.startswith(_SECRETS):
            request = {"SecretId": name.removeprefix(_SECRETS)}
            secret = self._ask("secretsmanager", "GetSecretValue", request, where)
            return None if secret is None else ("SecureString", secret.get("SecretString", ""))
        found = self._ask("ssm", "GetParameter", {"Name": name, "WithDecryption": decrypt}, where)
        return None if found is None else (found["Parameter"]["Type"], found["Parameter"]["Value"])

    def object_text(self, bucket: str, key: str, where: Place) -> str | None:
        from ..cloud.kernel import AwsError

        request = {"Bucket": bucket, "Key": key}
        try:
            found = _at_once(self._open().call_async("s3", "GetObject", request, region=where.region))
        except AwsError as error:
            _unless_absent("s3", "GetObject", error)
            return None
        body = found.get("Body") or b""
        if not isinstance(body, bytes):  # of a large object: read from files, on a loop of its own
            import asyncio
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(1) as thread:
                body = thread.submit(asyncio.run, _whole(body)).result()
        return body.decode("utf-8", "replace")

    def _ask(
        self, service: str, operation: str, request: Mapping[str, Any], where: Place
    ) -> dict[str, Any] | None:
        from ..cloud.kernel import AwsError

        try:
            return self._open().call(service, operation, request, region=where.region)
        except AwsError as error:
            _unless_absent(service, operation, error)
            return None


def _unless_absent(service: str, operation: str, error: AwsError) -> None:
    if error.code not in _ABSENT[operation]:
        raise _refused(service, operation, error.code, error.message) from error


def _at_once(answer: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """The result of an operation that is async for its body's sake only, and answers without waiting."""
    try:
        answer.send(None)
    except StopIteration as done:
        result: dict[str, Any] = done.value
        return result
    answer.close()
    raise RuntimeError("the operation waits")


async def _whole(body: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in body])
