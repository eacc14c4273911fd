"""The service's logger, metrics and tracer, named by the POWERTOOLS_ variables in serverless.yml."""

import warnings

from aws_lambda_powertools import Logger, Metrics, Tracer

logger = Logger()
metrics = Metrics()
tracer = Tracer(patch_modules=("botocore",))

# Most invocations have nothing to count.
warnings.filterwarnings("ignore", message="No application metrics to publish")
