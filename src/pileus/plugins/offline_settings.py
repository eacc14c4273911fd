"""Options of serverless-offline, by the names they have on its command line and under custom.serverless-offline.

Data only: the command line of `pileus offline` refuses the same ones, with the same words.
"""

#: Option → the option of `pileus offline` (its name in Python).
TAKEN = {"httpPort": "http_port", "host": "host", "noPrependStageInUrl": "bare"}

#: Options that have no place here, with what to do instead.
ELSEWHERE = {
    "useDocker": "functions run in processes of their own, without Docker: leave it out.",
    "useInProcess": "functions always run in processes of their own: leave it out.",
    "lambdaPort": "the Lambda API answers on the cloud's endpoint: use --port.",
    "websocketPort": "WebSocket APIs are not emulated yet.",
    "httpsProtocol": "the API answers over HTTP only.",
    "noAuth": "authorizers run as they do in AWS: leave it out.",
    "ignoreJWTSignature": "tokens are checked as they are in AWS: leave it out.",
    "noTimeout": "timeouts are enforced as in AWS: raise 'timeout' in serverless.yml instead.",
    "disableScheduledEvents": "disable the rule in serverless.yml instead (enabled: false).",
    "prefix": "paths are AWS's own, /{stage}/…; --noPrependStageInUrl drops the stage.",
    "resourceRoutes": "routes come from the compiled template; resources declare theirs there.",
}

#: Settings without an option on our command line.
SETTINGS_ELSEWHERE = {
    **ELSEWHERE,
    "apiKey": "API keys are those of serverless.yml, with their values.",
    "corsAllowHeaders": "CORS is what 'cors' of the events says, as in AWS.",
    "corsAllowOrigin": "CORS is what 'cors' of the events says, as in AWS.",
    "corsDisallowCredentials": "CORS is what 'cors' of the events says, as in AWS.",
    "corsExposedHeaders": "CORS is what 'cors' of the events says, as in AWS.",
    "customAuthenticationProvider": "authorizers run as they do in AWS: give the events an 'authorizer'.",
    "dockerHost": "there is no Docker.",
    "dockerHostServicePath": "there is no Docker.",
    "dockerNetwork": "there is no Docker.",
    "dockerReadOnly": "there is no Docker.",
    "enforceSecureCookies": "cookies are the functions' own, as in AWS.",
    "layersDir": "layers are those of the service.",
    "localEnvironment": "functions see the variables of serverless.yml only, as in AWS: name them there.",
    "preLoadModules": "modules are loaded by the functions, as in AWS.",
    "terminateIdleLambdaTime": "how long environments stay is not set here.",
    "webSocketHardTimeout": "WebSocket APIs are not emulated yet.",
    "webSocketIdleTimeout": "WebSocket APIs are not emulated yet.",
}

#: Settings that make no difference: what they ask for is so here anyhow.
NEEDLESS = frozenset(
    {
        *("allowCache", "disableCookieValidation", "hideStackTraces", "location", "noSponsor", "printOutput"),
        *("reloadHandler", "useChildProcesses", "useWorkerThreads", "noStripTrailingSlashInUrl"),
    }
)
