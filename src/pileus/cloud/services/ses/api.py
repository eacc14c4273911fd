"""Both versions of SES, where the index of services looks for them."""

from .v1 import Ses
from .v2 import SesV2

__all__ = ["Ses", "SesV2"]
