"""DynamoDB Streams: what changed in a table, in order, for 24 hours.

`records` writes them, in the transaction of the change; `api` is the service `dynamodbstreams`, which reads them.
"""
