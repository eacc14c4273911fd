"""IAM as one service: its operations are in the module of the noun that they are about.

Policies are checked and stored; what they allow is decided elsewhere.
"""

from __future__ import annotations

from .groups import Groups
from .policies import Policies
from .roles import Roles
from .users import Users


class Iam(Roles, Users, Groups, Policies):
    """AWS Identity and Access Management."""
