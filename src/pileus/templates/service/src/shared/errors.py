"""What a request can be refused for.

    Problem
      Invalid       400, names the field
      Unauthorized  401
      Forbidden     403
      NotFound      404
      Conflict      409

Services raise these; `middleware/rest_api.py` turns them into answers. Everything else is a bug and stays an error of
the function.
"""


class Problem(Exception):
    status = 500

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Invalid(Problem):
    status = 400


class Unauthorized(Problem):
    status = 401


class Forbidden(Problem):
    status = 403


class NotFound(Problem):
    status = 404


class Conflict(Problem):
    status = 409
