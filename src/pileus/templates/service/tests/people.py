"""Someone with an account."""

import re
from dataclasses import dataclass, field
from typing import Any

from tests.http_client import Answer, Api

PASSWORD = "correct horse battery staple"


@dataclass
class Person:
    id: str
    email: str
    api: Api
    password: str = field(default=PASSWORD, repr=False)

    def signed_in(self) -> "Person":
        answer = self.api.post("/auth/token", {"email": self.email, "password": self.password})
        assert answer.status == 200, answer
        return Person(self.id, self.email, self.api.with_token(answer.data["accessToken"]))

    def confirm(self, outbox: list[Any]) -> Answer:
        """Follows the link in the last mail."""
        answer = self.api.get(f"/auth/verify?token={link_token(mails_to(outbox, self.email)[-1])}")
        assert answer.status == 200, answer
        return answer


def sign_up(api: Api, email: str, name: str = "Ada Lovelace") -> Person:
    answer = api.post("/users", {"email": email, "name": name, "password": PASSWORD})
    assert answer.status == 201, answer
    return Person(answer.data["id"], email, api)


# A mail of the outbox is a mapping with `to` (addresses), `subject` and `body`.
def mails_to(outbox: list[Any], email: str) -> list[Any]:
    return [mail for mail in outbox if email in mail["to"]]


def link_token(mail: Any) -> str:
    return re.search(r"token=([\w.-]+)", mail["body"]).group(1)
