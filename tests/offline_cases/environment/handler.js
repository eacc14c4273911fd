const early = process.env.PROVIDER

exports.variables = async (event, context) => {
  const { BOTH, OWN, NUMBER, QUEUE, IS_OFFLINE, AWS_REGION, AWS_LAMBDA_FUNCTION_NAME, AWS_LAMBDA_FUNCTION_MEMORY_SIZE } = process.env
  const body = { early, BOTH, OWN, NUMBER, QUEUE, IS_OFFLINE, AWS_REGION, AWS_LAMBDA_FUNCTION_NAME, AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    name: context.functionName, memory: context.memoryLimitInMB, same: context.awsRequestId.length === 36 }
  return { statusCode: 200, body: JSON.stringify(body) }
}
