"""E-mail and password in, access token out; and the confirmation of an address."""

import os

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities import parameters

from src.models.user import User, normalise_email
from src.services import tokens, users
from src.shared.errors import Invalid, Unauthorized
from src.shared.observability import metrics
from src.shared.passwords import NOBODY, matches
from src.shared.times import MINUTE


def sign_in(email: str, password: str) -> str:
    """Takes as long and says the same whether the address is unknown or the password is wrong."""
    user = users.find_by_email(email)
    matched = matches(password, user.password_hash if user else NOBODY)
    if user is None or not matched:
        metrics.add_metric("SignInsRefused", MetricUnit.Count, 1)
        raise Unauthorized("Unknown e-mail address or wrong password")
    metrics.add_metric("SignIns", MetricUnit.Count, 1)
    return tokens.issue_access(user)


def confirm_email(token: str) -> User:
    """The owner of the admin address becomes admin here, not at the sign-up, which anybody may do with any address."""
    try:
        user_id, verification_id = tokens.read_verification(token)
    except tokens.BadToken:
        raise _bad_link() from None
    user = users.find(user_id)
    if user is None:
        raise _bad_link()
    confirmed = users.confirm(user_id, verification_id, role="admin" if user.email == _admin_email() else None)
    if confirmed is None:
        raise _bad_link()
    return confirmed


def _admin_email() -> str:
    return normalise_email(parameters.get_parameter(os.environ["ADMIN_EMAIL_PARAMETER"], max_age=5 * MINUTE))


def _bad_link() -> Invalid:
    return Invalid("This link is no longer valid", field="token")
