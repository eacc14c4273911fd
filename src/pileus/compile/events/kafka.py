"""`kafka`: a topic of a Kafka cluster that one runs oneself."""

from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.brokers import access, allow_network, allow_secrets, batching, starting
from pileus.compile.events.source_mapping import add_mapping
from pileus.service.model import Event, Function
from pileus.service.tree import Json

#: Setting → type of access, and what its URI begins with.
_ACCESS = {
    "vpcSubnet": ("VPC_SUBNET", "subnet:"),
    "vpcSecurityGroup": ("VPC_SECURITY_GROUP", "security_group:"),
    "saslPlainAuth": ("BASIC_AUTH", ""),
    "saslScram256Auth": ("SASL_SCRAM_256_AUTH", ""),
    "saslScram512Auth": ("SASL_SCRAM_512_AUTH", ""),
    "clientCertificateTlsAuth": ("CLIENT_CERTIFICATE_TLS_AUTH", ""),
    "serverRootCaCertificate": ("SERVER_ROOT_CA_CERTIFICATE", ""),
}


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    secrets: dict[str, list[Json]] = {}
    network: set[str] = set()
    for function, event in uses:
        of_function = secrets.setdefault(function.key, [])
        given = event.get("accessConfigurations") or {}
        for one, other in (("vpcSubnet", "vpcSecurityGroup"), ("vpcSecurityGroup", "vpcSubnet")):
            if given.get(one) and not given.get(other):
                message = f"'{one}' needs '{other}' beside it"
                c.mistake(message, (*event.path, "accessConfigurations", one), f"{other}: [...]")
        accesses: list[Json] = []
        for setting, values in given.items():
            if setting not in _ACCESS or values is None:
                continue
            kind, prefix = _ACCESS[setting]
            if not isinstance(values, list):
                path = (*event.path, "accessConfigurations", setting)
                c.mistake(f"'{setting}' must be a list", path, f"{setting}: [...]")
                continue
            for value in values:
                accesses.append(access(kind, f"{prefix}{value}" if prefix else value))
                if prefix:
                    network.add(function.key)
                else:
                    of_function.append(value)
        properties: dict[str, Json] = {
            "FunctionName": c.arn(function),
            "SelfManagedEventSource": {"Endpoints": {"KafkaBootstrapServers": event.get("bootstrapServers")}},
            "Topics": [event.get("topic")],
            "SourceAccessConfigurations": accesses,
            **starting(c, event),
            **batching(event),
        }
        if event.get("consumerGroupId"):
            group = {"ConsumerGroupId": event.get("consumerGroupId")}
            properties["SelfManagedKafkaEventSourceConfig"] = group
        name = naming.alphanumeric(event.get("topic"))
        add_mapping(c, naming.event_source_mapping(function.key, "Kafka", name), function, properties)
    for key, of_function in secrets.items():
        allow_secrets(c, of_function)
        if key in network:
            allow_network(c)
