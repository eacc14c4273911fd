exports.hello = async () => ({ statusCode: 200, body: typeof require })
