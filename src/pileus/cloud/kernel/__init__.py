"""The kernel: what every service is built from. See docs/architecture.md."""

from .arn import Arn
from .bus import Job, Retry
from .call import ANONYMOUS, Call, Principal
from .clock import Clock
from .cloud import Cloud, ServiceEntry
from .errors import AwsError, InternalFailure, NotEmulated, ValidationError, ValidationException
from .http import HttpRequest, HttpResponse
from .identity import Credential, CredentialSource
from .ids import Ids
from .ports import Invocation, StreamedInvocation, StreamFailed
from .resources import REPLACE, STORED, UPDATE, Change, Created, ResourceType, StackCall
from .service import Service, consumer, operation
from .settings import Settings
from .store import Blobs, Row, Store

__all__ = [
    "ANONYMOUS",
    "REPLACE",
    "STORED",
    "UPDATE",
    "Arn",
    "AwsError",
    "Blobs",
    "Call",
    "Change",
    "Clock",
    "Cloud",
    "Created",
    "Credential",
    "CredentialSource",
    "HttpRequest",
    "HttpResponse",
    "Ids",
    "InternalFailure",
    "Invocation",
    "Job",
    "NotEmulated",
    "Principal",
    "ResourceType",
    "Retry",
    "Row",
    "Service",
    "ServiceEntry",
    "Settings",
    "StackCall",
    "Store",
    "StreamFailed",
    "StreamedInvocation",
    "ValidationError",
    "ValidationException",
    "consumer",
    "operation",
]
