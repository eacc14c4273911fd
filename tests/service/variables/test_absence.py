"""What is said of the two settings whose defaults v3 fills in only after the variables are resolved."""

from pathlib import Path

import pytest

from pileus.service import ConfigErrors, load_service


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("${opt:stage, self:provider.stage}", "write ${sls:stage}, or 'stage:' under provider"),
        ("${self:provider.region}", "write ${aws:region}, or 'region:' under provider"),
        ("${self:provider.memory}", "give a fallback: ${self:provider.memory, 'value'}"),
    ],
)
def test_a_setting_that_is_not_written_out(tmp_path: Path, variable: str, hint: str) -> None:
    (tmp_path / "serverless.yml").write_text(
        f"service: demo\nprovider: {{name: aws, runtime: python3.12}}\ncustom:\n  value: {variable}\n"
    )
    with pytest.raises(ConfigErrors) as caught:
        load_service(tmp_path, options={}, environ={})
    assert [error.hint for error in caught.value.errors] == [hint]
