"""The schema of the v3 AWS configuration (JSON files) and the validator that applies it.

The data files are JSON Schema (draft 7's vocabulary as far as `validator` knows it); a `$ref` names a file beside
this one, or `file#definition`. A new event is one file in `events/`.
"""

from pileus.service.schema.validator import Mistake, Validator, known_events

__all__ = ["Mistake", "Validator", "known_events"]
