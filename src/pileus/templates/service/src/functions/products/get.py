"""GET /products/{id}. For every user."""

from aws_lambda_powertools.event_handler import Response

from src.middleware.rest_api import lambda_handler, ok, rest_api
from src.services import products

app = rest_api()


@app.get("/products/<product_id>")
def get_product(product_id: str) -> Response:
    return ok(products.get(product_id).public())


handler = lambda_handler(app)
