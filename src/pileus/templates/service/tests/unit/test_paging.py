import pytest

from src.shared.errors import Invalid
from src.shared.paging import PageRequest, query_all, scan_page


class Table:
    """Answers like DynamoDB: at most `Limit` items are looked at, and the filter comes after."""

    def __init__(self, items):
        self.items = items

    def scan(self, *, Limit, ExclusiveStartKey=None, hidden=()):  # noqa: N803
        start = self.items.index(ExclusiveStartKey["id"]) + 1 if ExclusiveStartKey else 0
        seen = self.items[start : start + Limit]
        more = {"LastEvaluatedKey": {"id": seen[-1]}} if len(seen) == Limit else {}
        return {"Items": [{"id": item} for item in seen if item not in hidden], **more}


def pages(table, limit, **options):
    token = None
    while True:
        query = {"limit": str(limit)} | ({"nextToken": token} if token else {})
        items, token = scan_page(table, PageRequest.of(query), **options)
        yield [item["id"] for item in items]
        if token is None:
            return


def test_pages_follow_one_another_without_gap_or_repetition():
    assert list(pages(Table(list("abcde")), 2)) == [["a", "b"], ["c", "d"], ["e"]]


def test_pages_are_full_although_a_filter_hides_items():
    assert list(pages(Table(list("a1b2c3d4e5")), 2, hidden="12345")) == [["a", "b"], ["c", "d"], ["e"]]


def test_a_query_is_read_to_its_end():
    page = {"Items": [1, 2], "LastEvaluatedKey": {"id": "2"}}
    empty = {"Items": [], "LastEvaluatedKey": {"id": "3"}}
    answers = iter([page, empty, {"Items": [3]}])

    class Index:
        def query(self, **_options):
            return next(answers)

    assert list(query_all(Index())) == [1, 2, 3]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "²"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"nextToken": "%"}, "nextToken"),
        ({"nextToken": "é"}, "nextToken"),
        ({"nextToken": "_w"}, "nextToken"),
    ],
)
def test_bad_pages_are_refused_by_the_name_of_the_parameter(query, field):
    with pytest.raises(Invalid) as refused:
        PageRequest.of(query)
    assert refused.value.field == field
