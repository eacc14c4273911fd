import json
import sys


def hello(event, context):
    return {"statusCode": 200, "body": json.dumps({"name": context.function_name})}


def big(event, context):
    return {"statusCode": 200, "body": json.dumps([{"i": i, "v": "x" * 50} for i in range(3000)])}


def prints(event, context):
    print('a\nb\n{"statusCode": 500}\n')  # noqa: T201
    print("to stderr", file=sys.stderr)  # noqa: T201
    sys.stdout.write("no newline")
    return {"statusCode": 200, "body": "printed"}
