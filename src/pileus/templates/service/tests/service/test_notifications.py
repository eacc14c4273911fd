import json
import uuid

import pytest

from tests.people import mails_to, sign_up

VISIBILITY_SECONDS = 60  # of the queue, resources/sqs.yml
MAX_RECEIVES = 3


@pytest.fixture
def sqs(pileus_service):
    return pileus_service.client("sqs")


def url(sqs, name):
    return sqs.get_queue_url(QueueName=name)["QueueUrl"]


def item(pileus_service, named, person):
    answer = pileus_service.client("dynamodb").get_item(TableName=named("users"), Key={"id": {"S": person.id}})
    return answer["Item"]


def event_of(user_item):
    return json.dumps({"detail": {"userId": user_item["id"]["S"], "verificationId": user_item["verificationId"]["S"]}})


def test_who_signs_up_gets_one_mail(api, email, pileus_service, named):
    person = sign_up(api, email, name="Grace")
    pileus_service.drain()
    (mail,) = mails_to(pileus_service.outbox(), email)
    assert mail["subject"].startswith("Welcome")
    assert "Hello Grace" in mail["body"]
    assert "notifiedAt" in item(pileus_service, named, person)


def test_a_redelivered_message_sends_nothing_twice(api, email, pileus_service, named, sqs):
    person = sign_up(api, email)
    pileus_service.drain()
    for _ in range(3):
        body = event_of(item(pileus_service, named, person))
        sqs.send_message(QueueUrl=url(sqs, named("notifications")), MessageBody=body)
        pileus_service.drain()
    assert len(mails_to(pileus_service.outbox(), email)) == 1


def test_an_event_of_an_unknown_user_is_dropped(pileus_service, service_name, stage, named, sqs):
    detail = {"userId": str(uuid.uuid4()), "verificationId": "x"}
    entry = {"EventBusName": f"{service_name}-{stage}", "Source": service_name}
    entry |= {"DetailType": "UserRegistered", "Detail": json.dumps(detail)}
    before = len(pileus_service.outbox())
    assert pileus_service.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    pileus_service.drain()
    assert len(pileus_service.outbox()) == before
    counts = sqs.get_queue_attributes(QueueUrl=url(sqs, named("notifications")), AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_what_fails_three_times_lies_in_the_dead_letter_queue_and_holds_nobody_up(
    api, email, pileus_service, named, sqs
):
    poison = f"poison {uuid.uuid4()}"
    person = sign_up(api, email)
    pileus_service.drain()
    good = event_of(item(pileus_service, named, person))
    entries = [{"Id": "bad", "MessageBody": poison}, {"Id": "good", "MessageBody": good}]
    sqs.send_message_batch(QueueUrl=url(sqs, named("notifications")), Entries=entries)
    for _ in range(MAX_RECEIVES):
        pileus_service.drain()
        pileus_service.travel(VISIBILITY_SECONDS + 1)
    pileus_service.drain()
    dead = sqs.receive_message(QueueUrl=url(sqs, named("notifications-dlq")), MaxNumberOfMessages=10)
    assert [message["Body"] for message in dead.get("Messages", [])] == [poison]
    assert len(mails_to(pileus_service.outbox(), email)) == 1
