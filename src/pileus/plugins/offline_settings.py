"""Options of serverless-offline, by the names they have on its command line and under custom.serverless-offline.

Data only: the command line of `pileus offline` answers the same ones, with the same words. Where AWS does it otherwise,
AWS decides, and the words say so.
"""

#: Option → the option of `pileus offline` (its name in Python).
TAKEN = {
    "httpPort": "http_port",
    "host": "host",
    "noPrependStageInUrl": "bare",
    "lambdaPort": "lambda_port",
    "websocketPort": "websocket_port",
    "albPort": "alb_port",
    "localEnvironment": "local_environment",
    "terminateIdleLambdaTime": "idle",
    "ignoreJWTSignature": "trust_tokens",
}

_DOCKER = "functions run in processes of their own, without Docker: leave it out."
_CORS = "CORS is what 'cors' of the events says, as in AWS."

#: Options that change nothing of what a function or a client sees: told once, and the service goes on.
HARMLESS = {
    "dockerHost": _DOCKER,
    "dockerHostServicePath": _DOCKER,
    "dockerNetwork": _DOCKER,
    "dockerReadOnly": _DOCKER,
    "enforceSecureCookies": "cookies are the functions' own, as in AWS: leave it out.",
    "layersDir": "layers are those of the service, kept in the state: leave it out.",
    "preLoadModules": "what functions import is imported ahead by itself: leave it out.",
    "useDocker": _DOCKER,
    "useInProcess": "functions always run in processes of their own: leave it out.",
}

#: Options that can't be honoured, with what to do instead: without them the service would not be what was asked for.
ELSEWHERE = {
    "corsAllowHeaders": _CORS,
    "corsAllowOrigin": _CORS,
    "corsDisallowCredentials": _CORS,
    "corsExposedHeaders": _CORS,
    "customAuthenticationProvider": "authorizers run as they do in AWS: give the events an 'authorizer'.",
    "disableScheduledEvents": "disable the rule in serverless.yml instead (enabled: false).",
    "httpsProtocol": "the API answers over HTTP only.",
    "noAuth": "authorizers run as they do in AWS: leave it out.",
    "noTimeout": "timeouts are enforced as in AWS: raise 'timeout' in serverless.yml, or use --debug.",
    "prefix": "paths are AWS's own, /{stage}/…; --noPrependStageInUrl drops the stage.",
    "resourceRoutes": "routes come from the compiled template; resources declare theirs there.",
    "webSocketHardTimeout": "a connection ends after two hours, as in AWS: leave it out.",
    "webSocketIdleTimeout": "a connection ends after ten idle minutes, as in AWS: leave it out.",
}

#: Settings without a place on our command line.
SETTINGS_ELSEWHERE = {
    **HARMLESS,
    **ELSEWHERE,
    "apiKey": "API keys are those of serverless.yml, with their values.",
}

#: Settings that make no difference: what they ask for is so here anyhow.
NEEDLESS = frozenset(
    {
        *("allowCache", "disableCookieValidation", "hideStackTraces", "location", "noSponsor", "printOutput"),
        *("reloadHandler", "useChildProcesses", "useWorkerThreads", "noStripTrailingSlashInUrl"),
    }
)
