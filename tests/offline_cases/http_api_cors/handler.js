exports.echo = async () => ({ statusCode: 200, body: 'ok' })
