"""GET /products/export?limit=&nextToken=: the catalogue as CSV. For partners: users with an API key, which meters."""

from aws_lambda_powertools.event_handler import Response

from src.middleware.rest_api import lambda_handler, rest_api
from src.services import products
from src.shared.paging import PageRequest

ROWS = 1000  # some 2.3 MB at most; Lambda answers with up to 6 MB

app = rest_api()


@app.get("/products/export")
def export_products() -> Response:
    page = PageRequest.of(app.current_event.query_string_parameters, default=ROWS, maximum=ROWS)
    found, next_token = products.list_page(page)
    headers = {"Content-Disposition": 'attachment; filename="products.csv"'}
    if next_token:
        headers["X-Next-Token"] = next_token
    return Response(200, "text/csv; charset=utf-8", products.as_csv(found), headers=headers)


handler = lambda_handler(app)
