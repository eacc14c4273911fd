"""Variables that grow without end are mistakes, told in a moment."""

from pathlib import Path

import pytest

from pileus.service import ConfigErrors, load_service

DOUBLED_TEXT = "".join(
    f"  a{n}: '${{self:custom.a{n - 1}}}${{self:custom.a{n - 1}}}'\n" for n in range(1, 40)
)
DOUBLED_LISTS = "".join(
    f"  a{n}: ['${{self:custom.a{n - 1}}}', '${{self:custom.a{n - 1}}}']\n" for n in range(1, 40)
)


@pytest.mark.parametrize(
    ("custom", "files", "message"),
    [
        ("  a0: xxxxxxxx\n" + DOUBLED_TEXT, {}, "its text grows beyond 10 MB"),
        ("  a0: [x]\n" + DOUBLED_LISTS, {}, "what variables put in grows beyond all bounds"),
        (
            "  a: 'x ${file(a.yml)} ${file(a.yml)}'\n",
            {"a.yml": '"${file(a.yml)} and ${file(b.yml)}"', "b.yml": '"${file(a.yml)}${file(a.yml)}"'},
            "a circle of variables: a.yml → a.yml",
        ),
        (
            "  a: 'x ${file(a.yml):b}'\n",
            {"a.yml": "b: ['${file(a.yml):b} again']"},
            "a circle of files: a.yml:b → a.yml:b",
        ),
    ],
)
def test_growth_ends(tmp_path: Path, custom: str, files: dict[str, str], message: str) -> None:
    head = "service: demo\nprovider: {name: aws}\ncustom:\n"
    for name, text in {"serverless.yml": head + custom, **files}.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigErrors) as refused:
        load_service(tmp_path, options={}, environ={})
    assert any(message in error.message and error.mark for error in refused.value.errors), refused.value
