import pytest

from src.shared import transactions
from src.shared.transactions import Cancelled, write_together


class Client:
    class exceptions:  # noqa: N801
        class TransactionCanceledException(Exception):
            def __init__(self, codes):
                super().__init__(codes)
                self.response = {"CancellationReasons": [{"Code": code} for code in codes]}

    def __init__(self, *answers):
        self.answers = list(answers)

    def transact_write_items(self, *, TransactItems):  # noqa: N803
        answer = self.answers.pop(0)
        if answer:
            raise self.exceptions.TransactionCanceledException(answer)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(transactions.time, "sleep", lambda _: None)


def test_a_conflict_with_another_transaction_is_tried_again():
    client = Client(["None", "TransactionConflict"], ["TransactionConflict", "TransactionConflict"], None)
    write_together(client, {}, {})
    assert client.answers == []


def test_a_failed_condition_is_final_and_says_which():
    client = Client(["None", "ConditionalCheckFailed"], None)
    with pytest.raises(Cancelled) as cancelled:
        write_together(client, {}, {})
    assert [cancelled.value.condition_failed(n) for n in (0, 1)] == [False, True]
    assert client.answers == [None]


def test_conflicts_without_end_are_given_up():
    with pytest.raises(Cancelled):
        write_together(Client(*[["None", "TransactionConflict"]] * 4), {}, {})
