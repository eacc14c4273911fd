const policy = (effect, resource, context) => ({
  principalId: 'user1',
  policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: effect, Resource: resource }] },
  context,
})
const decide = (token, arn) => {
  if (token === 'allow') return policy('Allow', arn, { key: 'value', number: 1 })
  if (token === 'deny') return policy('Deny', arn)
  if (token === 'broken') throw new Error('broken')
  throw new Error('Unauthorized')
}

exports.guard = async (event) => {
  const header = event.headers.Authorization
  return decide(header ? header.split(' ')[1] : event.queryStringParameters.token, event.methodArn)
}
exports.who = async (event) => ({ statusCode: 200, body: JSON.stringify(event.requestContext.authorizer) })
