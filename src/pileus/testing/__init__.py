"""The cloud as a fixture: an embedded cloud beside a test, with real clients and a clock that travels."""

from .embedded import EmbeddedCloud

__all__ = ["EmbeddedCloud"]
