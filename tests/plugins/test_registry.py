"""Which plugins a service gets, in what order, and what is said of the rest."""

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from pileus.compile import Artifacts, compile_service
from pileus.plugins import Plugins, hookimpl, registry
from pileus.plugins.names import BUILT_IN
from pileus.service import ConfigErrors, load_service, render

HEAD = "service: shop\nprovider: {name: aws, runtime: python3.12}\n"
FUNCTION = "functions:\n  one: {handler: handler.h}\n"


def told(loaded: Any) -> str:
    return render(loaded.warnings, kind="warning")


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_built_in_loads_without_settings(load: Any, name: str) -> None:
    load(f"{HEAD}plugins: [{name}]\ncustom: {{exportGitVariables: false}}\n{FUNCTION}")


def test_a_service_without_plugins_does_not_import_pluggy(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.Registry, "of", None)
    assert load(HEAD + FUNCTION).warnings == ()


@pytest.mark.parametrize(
    ("plugins", "words"),
    [
        ("[serverless-foo-bar]", "2: warning: the plugin 'serverless-foo-bar' is a Node package"),
        ("[./plugins/x.js]", "the plugin './plugins/x.js' is a local Node file"),
        ("{modules: [own], localPath: lib}", "the plugin 'own' is a local Node file"),
        ("[serverless-dynamodb-local]", "is not needed: 'pileus offline' runs DynamoDB itself"),
        ("[serverless-foo-bar]", "what it does is lost, with custom.fooBar"),
        ("[serverless-domain-manager]", "with custom.customDomain"),
        ("[serverless-domain-manager]", "no custom domain is mapped to the API"),
    ],
)
def test_a_plugin_that_is_not_there_is_one_warning(
    load: Any, tmp_path: Path, plugins: str, words: str
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "own.js").touch()
    loaded = load(
        f"service: shop\nplugins: {plugins}\nprovider: {{name: aws, runtime: python3.12}}\n"
        f"custom: {{fooBar: 1, customDomain: {{}}, other: 2}}\n{FUNCTION}"
    )
    assert len(loaded.warnings) == 1
    assert words.replace("2: warning", "warning") in told(loaded)
    assert "serverless.yml:2:" in told(loaded)
    assert "other" not in told(loaded)


def test_a_property_that_may_be_the_missing_plugins_is_a_warning_even_in_mode_error(load: Any) -> None:
    text = f"{HEAD}configValidationMode: error\nplugins: [serverless-foo]\n" + (
        "functions:\n  one: {handler: handler.h, fooed: 1, events: [{foo: 2}]}\nfooThings: {}\n"
    )
    loaded = load(text)
    assert "unknown property 'fooed'" in told(loaded)
    assert "may be a property of serverless-foo, which Pileus does not have" in told(loaded)
    assert "unknown event 'foo'" in told(loaded)
    assert "unknown property 'fooThings'" in told(loaded)
    compile_service(loaded.service, Artifacts.synthetic(loaded.service, 0))


def test_other_mistakes_stay_mistakes_beside_a_missing_plugin(load: Any) -> None:
    text = f"{HEAD}configValidationMode: error\nplugins: [serverless-foo]\nfunctions: {{one: {{handler: h.h, timeout: x}}}}\n"
    with pytest.raises(ConfigErrors, match="timeout"):
        load(text)


def test_a_variable_that_may_be_the_missing_plugins_says_so(load: Any) -> None:
    with pytest.raises(ConfigErrors) as raised:
        load(f"{HEAD}plugins: [serverless-foo]\ncustom: {{a: '${{foo:bar}}'}}\n")
    assert "it may be one of serverless-foo, which Pileus does not have" in raised.value.render()


LOCAL = """
from pileus.plugins import hookimpl

STANDS_FOR = ("./plugins/x.js",)

@hookimpl
def environment(opened):
    return {"SEEN": opened.config["custom"]["a"]}

@hookimpl
def variable_sources():
    return {"vault": lambda request, scope: {"key": "secret-" + request.params[0]}.get(request.address)}

@hookimpl
def schema():
    return {
        "service": {"team": {"type": "string"}},
        "custom": {"size": {"type": "integer"}},
        "provider": {"colour": {"type": "string"}},
        "function": {"speed": {"type": "string"}},
        "event": {"door": {"type": "object", "properties": {"open": {"type": "boolean"}}}},
        "event.sqs": {"fast": {"type": "boolean"}},
    }

@hookimpl
def configure(configuration, purpose):
    configuration.warn("hello " + purpose, ("custom", "size"))
    configuration.config["functions"]["two"] = {"handler": "b.h", "name": "two", "events": []}

@hookimpl
def compiled(compilation):
    compilation.add("Door", {"Type": "AWS::SNS::Topic"})

@hookimpl
def finished(template):
    template["Resources"]["Last"] = {"Type": "AWS::SNS::Topic"}

@hookimpl
def stage_settings(service):
    return [{"op": "replace", "path": "/a", "value": service.name}]

@hookimpl
def offline_options():
    return {"http_port": 4000}
"""


def test_a_project_has_plugins_of_its_own(load: Any, tmp_path: Path) -> None:
    (tmp_path / "pileus_plugins.py").write_text(LOCAL)
    loaded = load(
        """
service: shop
plugins: ['./plugins/x.js']
provider: {name: aws, runtime: python3.12, colour: red}
configValidationMode: error
team: cats
custom: {a: written, size: '7', seen: '${env:SEEN}', vault: '${vault(x):key}', none: '${vault(x):no, "fallback"}'}
functions:
  one: {handler: a.h, speed: 5, events: [{door: {open: true}}, {sqs: {arn: 'arn:aws:sqs:us-east-1:123456789012:q', fast: true}}]}
resources: {Resources: {Door: {Type: 'AWS::SNS::Topic', Properties: {TopicName: mine}}}}
""",
        purpose="offline",
    )
    service = loaded.service
    assert service.config["custom"] == {
        "a": "written", "size": 7, "seen": "written", "vault": "secret-x", "none": "fallback",
    }  # fmt: skip
    assert service.functions["one"].get("speed") == "5"
    assert "hello offline" in told(loaded)
    assert tmp_path / "pileus_plugins.py" in loaded.files
    template = compile_service(service, Artifacts.synthetic(service, 0)).update_stack
    assert "TwoLambdaFunction" in template["Resources"]
    assert template["Resources"]["Door"] == {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "mine"}}
    assert list(template["Resources"])[-1] == "Last"
    assert service.extensions is not None
    assert service.extensions.stage_settings(service) == [{"op": "replace", "path": "/a", "value": "shop"}]
    assert service.extensions.offline_options() == {"http_port": 4000}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise RuntimeError('no luck')", "pileus_plugins.py cannot be run: RuntimeError: no luck"),
        ("def", "pileus_plugins.py cannot be run: SyntaxError"),
        (
            "from pileus.plugins import hookimpl\n@hookimpl\ndef configure(unheard): pass",
            "pileus_plugins.py does not fit",
        ),
        (
            "from pileus.plugins import hookimpl\n@hookimpl\ndef configured(configuration): pass",
            "pileus_plugins.py does not fit",
        ),
    ],
)
def test_a_plugin_that_cannot_be_used_is_a_mistake(load: Any, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "pileus_plugins.py").write_text(text)
    with pytest.raises(ConfigErrors) as raised:
        load(HEAD + FUNCTION)
    assert words in raised.value.render()


class Third:
    @hookimpl
    def configure(self, configuration: Any) -> None:
        configuration.config.setdefault("custom", {}).setdefault("calls", []).append("third")


@pytest.fixture
def entry_points(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    points = [
        EntryPoint("serverless-third", f"{__name__}:Third", registry.ENTRY_POINTS),
        EntryPoint("serverless-broken", "no_such_module:x", registry.ENTRY_POINTS),
    ]
    monkeypatch.setattr(EntryPoint, "load", lambda point: {"serverless-third": Third}[point.name])
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    yield


@pytest.mark.usefixtures("entry_points")
def test_an_installed_plugin_stands_for_its_name(load: Any, tmp_path: Path) -> None:
    (tmp_path / "pileus_plugins.py").write_text(
        "from pileus.plugins import hookimpl\n"
        "@hookimpl\ndef configure(configuration): configuration.config['custom']['calls'].append('local')\n"
    )
    loaded = load(f"{HEAD}plugins: [serverless-third]\n{FUNCTION}")
    assert loaded.warnings == ()
    assert loaded.service.config["custom"]["calls"] == ["third", "local"]


@pytest.mark.usefixtures("entry_points")
def test_an_installed_plugin_that_cannot_be_imported_is_a_mistake_at_its_name(load: Any) -> None:
    with pytest.raises(ConfigErrors) as raised:
        load(f"{HEAD}plugins: [serverless-broken]\n{FUNCTION}")
    assert (
        "serverless.yml:3:11: error: the plugin 'serverless-broken' (no_such_module:x)"
        in raised.value.render(
            raised.value.errors[0].mark.file.parent if raised.value.errors[0].mark else None
        )
    )


def test_plugins_are_called_in_the_order_of_the_file(load: Any, tmp_path: Path) -> None:
    # dotenv's variables come after those of the project: both orders of the two built-ins give the same values,
    # but the tags and variables of git stand where the file puts them.
    (tmp_path / ".env").write_text("B=2\n")
    first = load(f"{HEAD}plugins: [serverless-dotenv-plugin, serverless-prune-plugin]\n{FUNCTION}")
    assert first.service.setting("environment") == {"B": "2"}


def test_two_loads_share_nothing(tmp_path: Path) -> None:
    text = (
        f"{HEAD}plugins: [serverless-plugin-warmup]\ncustom: {{warmup: {{a: {{enabled: true}}}}}}\n{FUNCTION}"
    )
    (tmp_path / "serverless.yml").write_text(text)
    one, two = (load_service(tmp_path, options={}, environ={}, extensions=Plugins()) for _ in range(2))
    assert list(one.service.functions) == list(two.service.functions) == ["one", "warmUpPluginA"]
