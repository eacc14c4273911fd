exports.node = async () => ({ statusCode: 200, body: 'node' })
