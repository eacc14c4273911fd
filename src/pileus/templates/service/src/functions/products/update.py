"""PUT /products/{id}: what is not given stays. For admins."""

from aws_lambda_powertools.event_handler import Response

from src.middleware.identity import admin_only
from src.middleware.request_body import validated_body
from src.middleware.rest_api import lambda_handler, ok, rest_api
from src.services import products

app = rest_api()


@app.put("/products/<product_id>", middlewares=[admin_only])
def update_product(product_id: str) -> Response:
    return ok(products.update(product_id, **validated_body(app, "update-product")).public())


handler = lambda_handler(app)
