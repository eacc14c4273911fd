exports.echo = async (event) => ({
  statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(event),
})
exports.fails = async () => { throw new Error('wrong') }
