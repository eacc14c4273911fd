"""The expression languages of DynamoDB: text → tokens → tree → closures, each compiled once and then kept.

Pure: nothing here knows of tables' rows, the store or a call.
"""
