"""The cleanup takes the moment from its event, so that the test need not wait for the night, nor for the week."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from tests.http_client import send
from tests.people import mails_to, sign_up


@pytest.fixture
def clean_up(pileus_service):
    def run(**later):
        moment = datetime.now(UTC) + timedelta(**later)
        pileus_service.invoke("cleanup", {"time": moment.strftime("%Y-%m-%dT%H:%M:%SZ")})
        pileus_service.drain()

    return run


def upload(person, pileus_service, data):
    made = person.api.post("/media/uploads", {"contentType": "image/jpeg", "size": len(data)}).data
    assert send("PUT", made["upload"]["url"], data, made["upload"]["headers"]).status == 200
    pileus_service.drain()
    return made


def exists(pileus_service, bucket, key):
    try:
        pileus_service.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 404
        return False
    return True


def test_uploads_that_came_to_nothing_go_after_a_day(user, pileus_service, named, clean_up):
    out = io.BytesIO()
    Image.new("RGB", (300, 300)).save(out, "JPEG")
    good = upload(user, pileus_service, out.getvalue())
    bad = upload(user, pileus_service, b"no image")
    never = user.api.post("/media/uploads", {"contentType": "image/jpeg", "size": 1}).data
    clean_up(hours=23)
    assert [user.api.get(f"/media/uploads/{made['id']}").status for made in (good, bad, never)] == [200, 200, 200]
    clean_up(hours=25)
    assert [user.api.get(f"/media/uploads/{made['id']}").status for made in (good, bad, never)] == [200, 404, 404]
    assert [exists(pileus_service, named("uploads"), made["key"]) for made in (good, bad)] == [True, False]


def test_users_who_never_confirm_go_after_a_week_and_their_address_is_free(api, email, admin, pileus_service, clean_up):
    silent = sign_up(api, email)
    confirmed = sign_up(api, f"confirmed-{email}")
    pileus_service.drain()
    confirmed.confirm(pileus_service.outbox())
    clean_up(days=6)
    assert admin.api.get(f"/users/{silent.id}").status == 200
    clean_up(days=7, minutes=1)
    assert admin.api.get(f"/users/{silent.id}").status == 404
    assert admin.api.get(f"/users/{confirmed.id}").status == 200
    sign_up(api, email)


def test_an_event_that_was_lost_is_repeated_once_the_user_waits_for_a_quarter_of_an_hour(
    api, email, pileus_service, named, clean_up
):
    """As if the function had died before it published: what the first mail left behind is taken away."""
    person = sign_up(api, email)
    pileus_service.drain()
    forget_the_mail(pileus_service, named, person)
    clean_up(minutes=14)
    assert len(mails_to(pileus_service.outbox(), email)) == 1
    clean_up(minutes=16)
    assert len(mails_to(pileus_service.outbox(), email)) == 2
    clean_up(minutes=17)
    assert len(mails_to(pileus_service.outbox(), email)) == 2


def forget_the_mail(pileus_service, named, person):
    dynamodb = pileus_service.client("dynamodb")
    key = {"id": {"S": person.id}}
    dynamodb.update_item(TableName=named("users"), Key=key, UpdateExpression="REMOVE notifiedAt")
    for sent in dynamodb.scan(TableName=named("idempotency"))["Items"]:
        dynamodb.delete_item(TableName=named("idempotency"), Key={"id": sent["id"]})
