import io

import pytest
from PIL import Image

from tests.http_client import send


def jpeg(size=(640, 480)):
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, "JPEG")
    return out.getvalue()


def ask(person, data):
    answer = person.api.post("/media/uploads", {"contentType": "image/jpeg", "size": len(data)})
    assert answer.status == 201, answer
    return answer.data


def put(upload, data, **headers):
    return send("PUT", upload["upload"]["url"], data, upload["upload"]["headers"] | headers).status


def shown(person, upload):
    return person.api.get(f"/media/uploads/{upload['id']}").data


@pytest.fixture
def s3(pileus_service):
    return pileus_service.client("s3")


def test_an_upload_becomes_a_thumbnail(user, pileus_service, named, s3):
    data = jpeg()
    upload = ask(user, data)
    assert upload["key"] == f"uploads/{user.id}/{upload['id']}.jpg"
    assert shown(user, upload)["status"] == "pending"
    assert put(upload, data) == 200
    pileus_service.drain()
    found = shown(user, upload)
    assert found["status"] == "processed"
    assert send("GET", found["thumbnailUrl"]).headers["Content-Type"] == "image/jpeg"
    key = upload["key"].replace("uploads/", "thumbnails/")
    image = Image.open(io.BytesIO(s3.get_object(Bucket=named("uploads"), Key=key)["Body"].read()))
    assert (image.format, image.size) == ("JPEG", (200, 200))


def test_type_and_length_are_part_of_the_signature(user):
    data = jpeg()
    upload = ask(user, data)
    assert put(upload, data + b"more") == 403
    assert put(upload, data, **{"Content-Type": "image/png"}) == 403
    assert put(upload, data) == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"contentType": "image/png", "size": 100}, "contentType"),
        ({"contentType": "image/jpeg", "size": 10 * 1024 * 1024 + 1}, "size"),
        ({"contentType": "image/jpeg", "size": 0}, "size"),
        ({"contentType": "image/jpeg"}, "size"),
    ],
)
def test_what_will_not_be_taken_is_refused_beforehand(user, body, field):
    answer = user.api.post("/media/uploads", body)
    assert answer.status == 400
    assert field in answer.text


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"this is not an image", "readable"), (jpeg()[:2000], "readable"), (jpeg((8001, 5000)), "pixels")],
    ids=["nonsense", "torn", "bomb"],
)
def test_an_image_that_is_none_is_reported_and_left(user, pileus_service, named, s3, data, reason):
    upload = ask(user, data)
    assert put(upload, data) == 200
    pileus_service.drain()  # comes to an end: nothing is tried for ever
    found = shown(user, upload)
    assert found["status"] == "rejected"
    assert reason in found["reason"]
    assert "thumbnailUrl" not in found
    thumbnails = s3.list_objects_v2(Bucket=named("uploads"), Prefix=f"thumbnails/{user.id}/")
    assert thumbnails["KeyCount"] == 0


def test_objects_put_past_the_api_are_thumbnailed_too(pileus_service, named, s3):
    s3.put_object(Bucket=named("uploads"), Key="uploads/from elsewhere/cat+1.jpg", Body=jpeg())
    s3.put_object(Bucket=named("uploads"), Key="uploads/from elsewhere/readme.txt", Body=b"no image")
    pileus_service.drain()
    thumbnails = s3.list_objects_v2(Bucket=named("uploads"), Prefix="thumbnails/from elsewhere/")
    assert [found["Key"] for found in thumbnails["Contents"]] == ["thumbnails/from elsewhere/cat+1.jpg"]


def test_uploads_are_their_users_own(user, other):
    upload = ask(user, jpeg())
    assert other.api.get(f"/media/uploads/{upload['id']}").status == 404
    assert user.api.get("/media/uploads/unknown").status == 404
