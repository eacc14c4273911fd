"""SES version 1 (query protocol)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernel import Call, NotEmulated, operation
from .errors import InvalidParameterValue
from .mailbox import MAX_RAW_BYTES_V1, Mailbox, recipients_in, recipients_of, sender_in

_REFUSED = ("ConfigurationSetName", "SourceArn", "ReturnPathArn", "FromArn")


class Ses(Mailbox):
    name = "ses"

    @operation("SendEmail")
    def send_email(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        _refuse(request, "SendEmail")
        source, destination = request["Source"], request["Destination"]
        self.check_sender(call, source)
        body = request["Message"]["Body"]
        if "Text" not in body and "Html" not in body:
            raise InvalidParameterValue("Body must have a Text or Html part")
        raw = self.compose(
            call, source, destination, request["Message"], request.get("ReplyToAddresses") or ()
        )
        return {"MessageId": self.send(call, source, recipients_of(destination), raw)}

    @operation("SendRawEmail")
    def send_raw_email(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        _refuse(request, "SendRawEmail")
        raw = request["RawMessage"]["Data"]
        if len(raw) > MAX_RAW_BYTES_V1:
            raise InvalidParameterValue("Message length is more than 10485760 bytes long.")
        source = request.get("Source") or sender_in(raw)
        self.check_sender(call, source)
        return {"MessageId": self.send(call, source, request.get("Destinations") or recipients_in(raw), raw)}

    @operation("VerifyEmailIdentity")
    def verify_email_identity(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        self.add_identity(call, request["EmailAddress"])
        return {}

    @operation("VerifyEmailAddress")
    def verify_email_address(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        self.add_identity(call, request["EmailAddress"])
        return {}

    @operation("VerifyDomainIdentity")
    def verify_domain_identity(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        self.add_identity(call, request["Domain"])
        return {"VerificationToken": call.ids.mixed(44)}

    @operation("DeleteIdentity")
    def delete_identity(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        self.remove_identity(call, request["Identity"])
        return {}

    @operation("ListIdentities")
    def list_identities(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        limit = request.get("MaxItems", 1000)
        if not 1 <= limit <= 1000:
            raise InvalidParameterValue("MaxItems must be between 1 and 1000")
        found = self.identities(call, request.get("NextToken", ""), limit + 1)
        kind = request.get("IdentityType")
        page = [i for i in found[:limit] if kind is None or ("@" in i) == (kind == "EmailAddress")]
        return {"Identities": page, "NextToken": found[limit - 1] if len(found) > limit else None}

    @operation("GetIdentityVerificationAttributes")
    def get_identity_verification_attributes(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "VerificationAttributes": {
                identity: {"VerificationStatus": "Success"}
                for identity in request["Identities"]
                if self.find_identity(call, identity)
            }
        }

    @operation("GetSendQuota")
    def get_send_quota(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "Max24HourSend": 50_000.0,
            "MaxSendRate": 14.0,
            "SentLast24Hours": float(self.sent_last_day(call)),
        }

    @operation("GetAccountSendingEnabled")
    def get_account_sending_enabled(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"Enabled": True}


def _refuse(request: Mapping[str, Any], name: str) -> None:
    for member in _REFUSED:
        if request.get(member):
            raise NotEmulated(f"ses {name}.{member}")
