"""SES version 2 (rest-json protocol), over the same mailbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import Call, NotEmulated, operation
from .errors import AlreadyExists, BadRequest, NotFound
from .mailbox import MAX_RAW_BYTES, Mailbox, recipients_in, recipients_of, sender_in

_REFUSED = (
    "ConfigurationSetName",
    "FromEmailAddressIdentityArn",
    "FeedbackForwardingEmailAddressIdentityArn",
    "ListManagementOptions",
    "EndpointId",
    "TenantName",
)


class SesV2(Mailbox):
    name = "sesv2"

    @operation("SendEmail")
    def send_email(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        for member in _REFUSED:
            if request.get(member):
                raise NotEmulated(f"sesv2 SendEmail.{member}")
        content, destination = request["Content"], request.get("Destination") or {}
        if "Raw" in content:
            raw = content["Raw"]["Data"]
            if len(raw) > MAX_RAW_BYTES:
                raise BadRequest("Message length is more than 41943040 bytes long.")
            source = request.get("FromEmailAddress") or sender_in(raw)
            self.check_sender(call, source)
            recipients = recipients_of(destination) or recipients_in(raw)
            return {"MessageId": self.send(call, source, recipients, raw)}
        if "Simple" not in content:
            raise NotEmulated("sesv2 SendEmail.Content.Template")
        simple = content["Simple"]
        if simple.get("Attachments"):
            raise NotEmulated("sesv2 SendEmail.Content.Simple.Attachments")
        source = request.get("FromEmailAddress")
        if not source:
            raise BadRequest("FromEmailAddress is required.")
        self.check_sender(call, source)
        replies = request.get("ReplyToAddresses") or ()
        raw = self.compose(call, source, destination, simple, replies, simple.get("Headers") or ())
        return {"MessageId": self.send(call, source, recipients_of(destination), raw)}

    @operation("CreateEmailIdentity")
    def create_email_identity(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        for member in ("DkimSigningAttributes", "ConfigurationSetName"):
            if request.get(member):
                raise NotEmulated(f"sesv2 CreateEmailIdentity.{member}")
        identity = request["EmailIdentity"]
        if self.find_identity(call, identity) is not None:
            raise AlreadyExists(f"Email identity {identity} already exist.")
        self.add_identity(call, identity)
        return {"IdentityType": _kind(identity), "VerifiedForSendingStatus": True, "DkimAttributes": {}}

    @operation("GetEmailIdentity")
    def get_email_identity(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        identity = request["EmailIdentity"]
        if self.find_identity(call, identity) is None:
            raise NotFound(f"Email identity {identity} does not exist.")
        return {
            "IdentityType": _kind(identity),
            "FeedbackForwardingStatus": True,
            "VerifiedForSendingStatus": True,
            "VerificationStatus": "SUCCESS",
        }

    @operation("DeleteEmailIdentity")
    def delete_email_identity(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        if not self.remove_identity(call, request["EmailIdentity"]):
            raise NotFound(f"Email identity {request['EmailIdentity']} does not exist.")
        return {}

    @operation("ListEmailIdentities")
    def list_email_identities(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        limit = request.get("PageSize") or 1000
        if not 1 <= limit <= 1000:
            raise BadRequest("PageSize must be between 0 and 1000")
        found = self.identities(call, request.get("NextToken", ""), limit + 1)
        return {
            "EmailIdentities": [
                {
                    "IdentityType": _kind(identity),
                    "IdentityName": identity,
                    "SendingEnabled": True,
                    "VerificationStatus": "SUCCESS",
                }
                for identity in found[:limit]
            ],
            "NextToken": found[limit - 1] if len(found) > limit else None,
        }

    @operation("GetAccount")
    def get_account(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "ProductionAccessEnabled": True,
            "SendingEnabled": True,
            "EnforcementStatus": "HEALTHY",
            "SendQuota": {
                "Max24HourSend": 50_000.0,
                "MaxSendRate": 14.0,
                "SentLast24Hours": float(self.sent_last_day(call)),
            },
        }


def _kind(identity: str) -> str:
    return "EMAIL_ADDRESS" if "@" in identity else "DOMAIN"
