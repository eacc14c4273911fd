exports.structured = () => Promise.resolve({ statusCode: 201, body: 'made' })
exports.thrown = async () => { throw new Error('wrong') }
exports.a_string = async () => 'hello'
exports.an_object = async () => ({ some: 'object', n: 1 })
exports.no_status = async () => ({ body: 'x' })
exports.a_number = async () => 42
exports.cookies = async () => ({ statusCode: 200, cookies: ['a=1; Path=/', 'b=2'], body: '' })
exports.headers = async () => ({ statusCode: 200, headers: { 'content-type': 'text/html', 'x-number': 3 }, body: '<p>' })
