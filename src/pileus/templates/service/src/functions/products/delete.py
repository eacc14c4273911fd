"""DELETE /products/{id}. For admins."""

from aws_lambda_powertools.event_handler import Response

from src.middleware.identity import admin_only
from src.middleware.rest_api import lambda_handler, no_content, rest_api
from src.services import products

app = rest_api()


@app.delete("/products/<product_id>", middlewares=[admin_only])
def delete_product(product_id: str) -> Response:
    products.delete(product_id)
    return no_content()


handler = lambda_handler(app)
