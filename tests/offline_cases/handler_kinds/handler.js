const ok = (said) => ({ statusCode: 200, body: said })

exports.context_done = (event, context) => { context.done(null, ok('context_done')) }
exports.context_succeed = (event, context) => { context.succeed(ok('context_succeed')) }
exports.callback = (event, context, callback) => { callback(null, ok('callback')) }
exports.promise = () => Promise.resolve(ok('promise'))
exports.async = async () => ok('async')
exports.callback_in_promise = (event, context, callback) => {
  Promise.resolve().then(() => callback(null, ok('callback_in_promise')))
}
exports.deferred = (event, context, callback) => { setTimeout(() => callback(null, ok('deferred')), 10) }

exports.context_fail = (event, context) => { context.fail(new Error('wrong')) }
exports.done_error = (event, context) => { context.done(new Error('wrong')) }
exports.callback_error = (event, context, callback) => { callback(new Error('wrong')) }
exports.callback_string = (event, context, callback) => { callback('wrong') }
exports.promise_reject = () => Promise.reject(new Error('wrong'))
exports.async_throw = async () => { throw new Error('wrong') }
exports.nothing = async () => undefined
exports.a_string = async () => 'hello'
exports.number_body = async () => ({ statusCode: 200, body: 12 })
