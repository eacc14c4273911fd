import csv
import io
import uuid

import pytest


@pytest.fixture
def product(admin):
    return admin.api.post("/products", {"name": "Mug", "price": "12.50"}).data


@pytest.mark.parametrize(
    ("given", "price"), [(12.5, "12.50"), ("12.5", "12.50"), (19.99, "19.99"), (0, "0.00"), (7, "7.00")]
)
def test_prices_are_exact(admin, given, price):
    answer = admin.api.post("/products", {"name": "Mug", "price": given})
    assert (answer.status, answer.data["price"]) == (201, price)
    assert admin.api.get(f"/products/{answer.data['id']}").data == answer.data


def test_a_price_is_stored_as_a_number(product, pileus_service, named):
    key = {"id": {"S": product["id"]}}
    item = pileus_service.client("dynamodb").get_item(TableName=named("products"), Key=key)["Item"]
    assert float(item["price"]["N"]) == 12.5


@pytest.mark.parametrize("price", [-1, "1,50", "free", 1.005, "100000000", None, True, [1]])
def test_what_is_no_price_is_refused(admin, price):
    answer = admin.api.post("/products", {"name": "Mug", "price": price})
    assert answer.status == 400
    assert "price" in answer.text


def test_users_read_what_admins_write(user, product):
    assert user.api.get(f"/products/{product['id']}").data == product
    assert user.api.get("/products").status == 200


def test_writing_needs_the_role_admin(user, product):
    refused = [
        user.api.post("/products", {"name": "Mug", "price": 1}),
        user.api.put(f"/products/{product['id']}", {"price": 1}),
        user.api.delete(f"/products/{product['id']}"),
    ]
    assert [answer.status for answer in refused] == [403, 403, 403]
    assert user.api.get(f"/products/{product['id']}").data == product


def test_a_change_leaves_the_rest(admin, product):
    after = admin.api.put(f"/products/{product['id']}", {"price": 9.95}).data
    assert after == product | {"price": "9.95", "updatedAt": after["updatedAt"]}


def test_a_deleted_product_is_gone(admin, product):
    path = f"/products/{product['id']}"
    assert admin.api.delete(path).status == 204
    gone = (admin.api.get(path), admin.api.put(path, {"price": 1}), admin.api.delete(path))
    assert [answer.status for answer in gone] == [404, 404, 404]


def test_unknown_products_are_not_found(user):
    assert user.api.get(f"/products/{uuid.uuid4()}").status == 404


def test_the_list_comes_in_pages(admin):
    created = {admin.api.post("/products", {"name": f"P{n}", "price": n}).data["id"] for n in range(5)}
    seen, query = [], {"limit": 2}
    while True:
        page = admin.api.get("/products", **query).json
        assert len(page["data"]) <= 2
        seen += [product["id"] for product in page["data"]]
        if not page["nextToken"]:
            break
        query["nextToken"] = page["nextToken"]
    assert created <= {*seen}
    assert len(seen) == len({*seen})


def test_the_export_needs_an_api_key(user, api, api_key, product):
    assert user.api.get("/products/export").status == 403
    assert user.api.get("/products/export", headers={"x-api-key": "guessed"}).status == 403
    assert api.get("/products/export", headers={"x-api-key": api_key}).status == 401
    answer = user.api.get("/products/export", headers={"x-api-key": api_key})
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(answer.text))}
    assert rows[product["id"]] == {"id": product["id"], "name": "Mug", "description": "", "price": "12.50"}
