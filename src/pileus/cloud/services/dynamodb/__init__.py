"""Amazon DynamoDB: tables, items, indexes, expressions, transactions, time to live."""
