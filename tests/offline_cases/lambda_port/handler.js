exports.given = async (event, context) => ({ event, custom: (context.clientContext || {}).custom })
exports.fails = async () => { throw new TypeError('wrong') }
exports.nothing = async () => {}
