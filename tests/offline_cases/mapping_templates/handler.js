exports.event = async (event) => event
exports.fails = async () => { throw new Error('[404] Not here') }
