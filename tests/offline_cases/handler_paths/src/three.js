exports.nested = { handler: async () => ({ statusCode: 200, body: 'three' }) }
