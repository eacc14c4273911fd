"""SES through boto3: what is sent lands in the outbox; what AWS rejects is rejected."""

from __future__ import annotations

import email
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pileus.testing import EmbeddedCloud

TEXT = {"Subject": {"Data": "Grüße"}, "Body": {"Text": {"Data": "Hallo\n"}, "Html": {"Data": "<p>Hallo</p>"}}}


def test_a_message_lands_in_the_outbox(aws: EmbeddedCloud) -> None:
    ses = aws.client("ses")
    ses.verify_email_identity(EmailAddress="From@Example.com")
    sent = ses.send_email(
        Source="Shop <from@example.com>",
        Destination={"ToAddresses": ["a@example.org"], "BccAddresses": ["b@example.org"]},
        Message=TEXT,
    )
    (entry,) = aws.outbox()
    assert entry["message_id"] == sent["MessageId"]
    assert (entry["to"], entry["subject"]) == (["a@example.org", "b@example.org"], "Grüße")
    assert entry["body"] == "Hallo\n"
    message = email.message_from_string(entry["raw"])
    assert message.get_content_type() == "multipart/alternative"
    assert "Bcc" not in message
    assert ses.get_send_quota()["SentLast24Hours"] == 1


def test_version_two_sends_raw_and_simple_from_a_domain(aws: EmbeddedCloud) -> None:
    ses = aws.client("sesv2")
    ses.create_email_identity(EmailIdentity="example.com")
    raw = b"From: x@mail.example.com\r\nTo: y@example.org\r\nSubject: raw\r\n\r\nhi\r\n"
    ses.send_email(Content={"Raw": {"Data": raw}})
    ses.send_email(
        FromEmailAddress="x@example.com",
        Destination={"ToAddresses": ["z@example.org"]},
        Content={"Simple": TEXT},
    )
    assert [(m["to"], m["subject"]) for m in aws.outbox()] == [
        (["y@example.org"], "raw"),
        (["z@example.org"], "Grüße"),
    ]
    assert [i["IdentityName"] for i in ses.list_email_identities()["EmailIdentities"]] == ["example.com"]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"Source": "nobody@example.com"}, "MessageRejected", "US-EAST-1: nobody@example.com"),
        (
            {"Destination": {"ToAddresses": ["not-an-address"]}},
            "InvalidParameterValue",
            "Missing final '@domain'",
        ),
        ({"Destination": {"ToAddresses": [f"u{i}@e.org" for i in range(51)]}}, "InvalidParameterValue", "50"),
        ({"ConfigurationSetName": "set"}, "NotEmulated", "ConfigurationSetName"),
        (
            {"Message": {**TEXT, "Subject": {"Data": "a\r\nBcc: x@e.org"}}},
            "InvalidParameterValue",
            "line breaks",
        ),
    ],
)
def test_refusals(shared_aws: EmbeddedCloud, change: dict[str, Any], code: str, words: str) -> None:
    ses = shared_aws.client("ses")
    ses.verify_email_identity(EmailAddress="from@example.com")
    request = {
        "Source": "from@example.com",
        "Destination": {"ToAddresses": ["a@e.org"]},
        "Message": TEXT,
        **change,
    }
    with pytest.raises(ClientError) as caught:
        ses.send_email(**request)
    assert caught.value.response["Error"]["Code"] == code
    assert words in caught.value.response["Error"]["Message"]
    assert shared_aws.outbox() == []
