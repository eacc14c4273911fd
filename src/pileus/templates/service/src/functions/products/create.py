"""POST /products. For admins."""

from aws_lambda_powertools.event_handler import Response

from src.middleware.identity import admin_only
from src.middleware.request_body import validated_body
from src.middleware.rest_api import created, lambda_handler, rest_api
from src.services import products

app = rest_api()


@app.post("/products", middlewares=[admin_only])
def create_product() -> Response:
    product = products.create(**validated_body(app, "create-product"))
    return created(product.public(), f"/products/{product.id}")


handler = lambda_handler(app)
