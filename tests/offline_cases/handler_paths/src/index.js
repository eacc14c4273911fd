exports.default = async () => ({ statusCode: 200, body: 'five' })
