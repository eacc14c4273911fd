exports.ok = async (event) => ({ statusCode: 200, body: event.body || 'none' })
