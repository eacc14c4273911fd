module.exports = { hello: () => Promise.resolve({ statusCode: 200, body: __filename.split('/').pop() }) }
