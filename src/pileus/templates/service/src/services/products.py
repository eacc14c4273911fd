"""The catalogue."""

import csv
import io
import os
from decimal import Decimal
from typing import Any
from uuid import uuid4

import boto3

from src.models.product import Product
from src.shared.errors import NotFound
from src.shared.money import format_price, parse_price
from src.shared.paging import PageRequest, scan_page
from src.shared.times import iso, now

table = boto3.resource("dynamodb").Table(os.environ["PRODUCTS_TABLE"])
exceptions = table.meta.client.exceptions


def create(*, name: str, price: str | int | Decimal, description: str = "") -> Product:
    moment = iso(now())
    product = Product(str(uuid4()), name, description, parse_price(price), moment, moment)
    table.put_item(Item=product.item(), ConditionExpression="attribute_not_exists(id)")
    return product


def get(product_id: str) -> Product:
    item = table.get_item(Key={"id": product_id}).get("Item")
    if item is None:
        raise _unknown(product_id)
    return Product.of(item)


def list_page(page: PageRequest) -> tuple[list[Product], str | None]:
    items, next_token = scan_page(table, page)
    return [Product.of(item) for item in items], next_token


def update(product_id: str, **changes: Any) -> Product:
    """changes: name, description, price; what is not given stays."""
    if "price" in changes:
        changes["price"] = parse_price(changes["price"])
    changes["updatedAt"] = iso(now())
    try:
        answer = table.update_item(
            Key={"id": product_id},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changes),
            ConditionExpression="attribute_exists(id)",
            ExpressionAttributeNames={f"#{name}": name for name in changes},
            ExpressionAttributeValues={f":{name}": value for name, value in changes.items()},
            ReturnValues="ALL_NEW",
        )
    except exceptions.ConditionalCheckFailedException:
        raise _unknown(product_id) from None
    return Product.of(answer["Attributes"])


def delete(product_id: str) -> None:
    try:
        table.delete_item(Key={"id": product_id}, ConditionExpression="attribute_exists(id)")
    except exceptions.ConditionalCheckFailedException:
        raise _unknown(product_id) from None


def as_csv(products: list[Product]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "name", "description", "price"])
    for product in products:
        row = (product.id, _as_text(product.name), _as_text(product.description), format_price(product.price))
        writer.writerow(row)
    return text.getvalue()


def _as_text(cell: str) -> str:
    """Spreadsheets run a cell that begins like a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _unknown(product_id: str) -> NotFound:
    return NotFound(f"There is no product {product_id}")
