"""A product, as stored and as shown."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from src.shared.money import format_price


@dataclass(frozen=True, slots=True)
class Product:
    id: str
    name: str
    description: str
    price: Decimal
    created_at: str
    updated_at: str

    def item(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "price": self.price,
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
        }

    @classmethod
    def of(cls, item: dict[str, Any]) -> "Product":
        return cls(
            id=item["id"],
            name=item["name"],
            description=item["description"],
            price=item["price"],
            created_at=item["createdAt"],
            updated_at=item["updatedAt"],
        )

    def public(self) -> dict[str, Any]:
        return self.item() | {"price": format_price(self.price)}
