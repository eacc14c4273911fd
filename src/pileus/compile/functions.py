"""All functions, in the order in which the framework gets to know the digests of their code.

That order is a contract: the statements of the shared role come in it. A function that needs no digest, because it
has no version or is an image, is finished at once (images after the zipped ones); the versions of zipped functions
come last, by the number of archives that their digest is made of.
"""

from pileus.compile import naming
from pileus.compile.compilation import Alias, Compilation
from pileus.compile.function import compile_function
from pileus.compile.layers import own_layers
from pileus.compile.versions import is_versioned, publish
from pileus.service.model import Function


def compile_functions(c: Compilation) -> None:
    functions = list(c.service.functions.values())
    for function in functions:
        _alias(c, function)
    zipped = [function for function in functions if function.get("image") is None]
    images = [function for function in functions if function.get("image") is not None]
    waiting: list[Function] = []
    for function in [*zipped, *images]:
        compile_function(c, function)
        if function.get("image") is None and is_versioned(c, function):
            waiting.append(function)
        else:
            publish(c, function)
    for function in sorted(waiting, key=lambda function: len(set(own_layers(c, function)))):
        publish(c, function)


def _alias(c: Compilation, function: Function) -> None:
    snap_start, provisioned = function.get("snapStart"), function.get("provisionedConcurrency")
    if snap_start and provisioned:
        message = f"the function '{function.key}' cannot have both snapStart and provisionedConcurrency"
        c.mistake(message, (*function.path, "snapStart"), "remove one of them")
    elif snap_start:
        c.aliases[function.key] = Alias(f"{naming.normalise(function.key)}SnapStartLambdaAlias", "snapstart")
    elif provisioned:
        c.aliases[function.key] = Alias(f"{naming.normalise(function.key)}ProvConcLambdaAlias", "provisioned")
