"""AWS's wire protocols, the server's side, driven by botocore's service models.

`service_codec(name)` gives a service's codec: it identifies the operation of a request, parses and checks its input,
and serialises results and errors. Protocols: query, json 1.0 and 1.1, rest-json, rest-xml, smithy-rpc-v2-cbor.
"""

from pileus.cloud.protocol.codec import ServiceCodec, service_codec
from pileus.cloud.protocol.errors import SerializationException, UnknownOperation, UnmodelledMember
from pileus.cloud.protocol.model import botocore_data_dir, model_metadata, model_names
from pileus.cloud.protocol.plan import Match

__all__ = [
    "Match",
    "SerializationException",
    "ServiceCodec",
    "UnknownOperation",
    "UnmodelledMember",
    "botocore_data_dir",
    "model_metadata",
    "model_names",
    "service_codec",
]
