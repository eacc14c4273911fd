import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.people import PASSWORD, sign_up


def test_sign_up_answers_with_the_user_and_never_the_password(api, email):
    answer = api.post("/users", {"email": email.upper(), "name": "Ada", "password": PASSWORD})
    assert answer.status == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Location"] == f"/users/{answer.data['id']}"
    assert {**answer.data, "id": 0, "createdAt": 0, "updatedAt": 0} == {
        "id": 0,
        "email": email,
        "name": "Ada",
        "role": "user",
        "verified": False,
        "createdAt": 0,
        "updatedAt": 0,
    }
    assert "scrypt" not in answer.text


def test_what_is_stored_is_a_hash(api, email, pileus_service, named):
    person = sign_up(api, email)
    item = pileus_service.client("dynamodb").get_item(TableName=named("users"), Key={"id": {"S": person.id}})["Item"]
    assert item["passwordHash"]["S"].startswith("scrypt$")
    assert PASSWORD not in json.dumps(item)


def test_an_address_is_taken_once_whatever_its_case(api, email):
    sign_up(api, email)
    answer = api.post("/users", {"email": email.title(), "name": "Eve", "password": PASSWORD})
    assert (answer.status, answer.json["field"]) == (409, "email")


def test_of_many_at_once_one_gets_the_address(api, email):
    body = {"email": email, "name": "Ada", "password": PASSWORD}
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(answer.status for answer in pool.map(lambda _: api.post("/users", body), range(8)))
    assert statuses == [201] + [409] * 7


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": None}, "email"),
        ({"email": "not an address"}, "email"),
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"password": "short"}, "password"),
        ({"role": "admin"}, "role"),
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_a_bad_body_is_refused_by_the_name_of_the_field(api, email, change, field, content_type):
    """By API Gateway's model if it is JSON, by the function if the content type hides it from the gateway."""
    body = {"email": email, "name": "Ada", "password": PASSWORD} | change
    body = {name: value for name, value in body.items() if value is not None}
    answer = api.call("POST", "/users", json.dumps(body).encode(), {"Content-Type": content_type})
    assert answer.status == 400
    assert field in answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("body", [b"", b"{", b"[]"])
def test_what_is_no_object_is_refused(api, body):
    assert api.call("POST", "/users", body).status == 400


def test_users_see_themselves_only(user, other, admin):
    assert user.api.get(f"/users/{user.id}").data["email"] == user.email
    assert user.api.get(f"/users/{other.id}").status == 404
    assert admin.api.get(f"/users/{other.id}").data["id"] == other.id


def test_unknown_users_are_not_found(admin, email):
    for unknown in (uuid.uuid4(), f"email%23{admin.email}"):
        assert admin.api.get(f"/users/{unknown}").status == 404
    assert admin.api.put(f"/users/{uuid.uuid4()}", {"name": "X"}).status == 404
    assert admin.api.put(f"/users/{uuid.uuid4()}", {"email": email}).status == 404
    assert admin.api.delete(f"/users/{uuid.uuid4()}").status == 404


def test_admins_list_users_a_page_at_a_time(api, admin):
    created = {sign_up(api, f"{uuid.uuid4().hex}@example.com").id for _ in range(3)}
    seen, query = [], {"limit": 2}
    while True:
        page = admin.api.get("/users", **query).json
        assert len(page["data"]) <= 2
        seen += [user["id"] for user in page["data"]]
        if not page["nextToken"]:
            break
        query["nextToken"] = page["nextToken"]
    assert created < {*seen}
    assert len(seen) == len({*seen})


def test_the_list_is_for_admins(user):
    assert user.api.get("/users").status == 403


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": "ten"}, {"nextToken": "*"}])
def test_a_bad_page_names_the_parameter(admin, query):
    answer = admin.api.get("/users", **query)
    assert (answer.status, answer.json["field"]) == (400, *query)


def test_a_change_leaves_the_rest(user):
    before = user.api.get(f"/users/{user.id}").data
    after = user.api.put(f"/users/{user.id}", {"name": "Countess"}).data
    assert after == before | {"name": "Countess", "updatedAt": after["updatedAt"]}
    assert user.api.get(f"/users/{user.id}").data == after


def test_a_new_address_frees_the_old_one_and_has_to_be_confirmed(api, user, email, pileus_service):
    new = f"new-{email}"
    answer = user.api.put(f"/users/{user.id}", {"email": new})
    assert (answer.data["email"], answer.data["verified"]) == (new, False)
    pileus_service.drain()
    assert any(new in mail["to"] for mail in pileus_service.outbox())
    assert sign_up(api, user.email).id != user.id


def test_an_address_of_someone_else_cannot_be_taken_over(user, other):
    answer = user.api.put(f"/users/{user.id}", {"email": other.email})
    assert (answer.status, answer.json["field"]) == (409, "email")
    assert user.api.get(f"/users/{user.id}").data["email"] == user.email


def test_roles_are_given_by_admins(user, admin):
    assert user.api.put(f"/users/{user.id}", {"role": "admin"}).status == 403
    assert admin.api.put(f"/users/{user.id}", {"role": "admin"}).data["role"] == "admin"
    assert user.signed_in().api.get("/users").status == 200


def test_a_deleted_user_is_gone_and_the_address_free(api, user, admin):
    assert user.api.delete(f"/users/{user.id}").status == 204
    assert admin.api.get(f"/users/{user.id}").status == 404
    assert api.post("/auth/token", {"email": user.email, "password": PASSWORD}).status == 401
    sign_up(api, user.email)


def test_browsers_of_other_origins_may_call(api):
    answer = api.call("OPTIONS", "/users")
    assert answer.status in (200, 204)
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
