def fails(event, context):
    raise ValueError("wrong")
