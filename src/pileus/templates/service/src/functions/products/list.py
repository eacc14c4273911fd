"""GET /products?limit=&nextToken=: the catalogue, a page at a time. For every user."""

from aws_lambda_powertools.event_handler import Response

from src.middleware.rest_api import lambda_handler, ok, rest_api
from src.services import products
from src.shared.paging import PageRequest

app = rest_api()


@app.get("/products")
def list_products() -> Response:
    found, next_token = products.list_page(PageRequest.of(app.current_event.query_string_parameters))
    return ok([product.public() for product in found], nextToken=next_token)


handler = lambda_handler(app)
