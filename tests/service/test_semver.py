"""npm's ranges (https://github.com/npm/node-semver#ranges) against one version."""

import pytest

from pileus.service.semver import satisfies


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        *[
            (text, True)
            for text in ("3", "3.x", "*", "^3.0.0", "~3.40.0", ">=3.0.0 <4.0.0", "2 || 3", "3.40.0")
        ],
        *[
            (text, True)
            for text in (">=2", "<4", "<=3", "3.0.0 - 3.50.0", ">= 3.1", "^3", "~3.40", "=3.40.0", "v3")
        ],
        *[
            (text, False)
            for text in ("2", "4", "^2.72.0", "~3.39.0", ">3", "<3.40.0", "3.39.0", ">=3.41", "1 || 2")
        ],
        *[(text, None) for text in ("three", "3.a", "^")],
    ],
)
def test_ranges(wanted: str, expected: bool | None) -> None:
    assert satisfies((3, 40, 0), wanted) is expected
