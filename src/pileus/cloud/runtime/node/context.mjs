// The context object that a handler gets, with the members that AWS documents.

// hooks: waits([value]) reads and sets callbackWaitsForEmptyEventLoop; done(error, value) ends the invocation.
export function contextOf(headers, requestId, hooks) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const env = process.env;
  const client = headers["lambda-runtime-client-context"];
  const identity = headers["lambda-runtime-cognito-identity"];
  const context = {
    get callbackWaitsForEmptyEventLoop() {
      return hooks.waits();
    },
    set callbackWaitsForEmptyEventLoop(value) {
      hooks.waits(Boolean(value));
    },
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: client ? JSON.parse(client) : undefined,
    identity: identity ? JSON.parse(identity) : undefined,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: requestId,
    tenantId: headers["lambda-runtime-aws-tenant-id"],
    getRemainingTimeInMillis: () => deadline - Date.now(),
    succeed: (value) => ended(hooks, null, value),
    fail: (error) => ended(hooks, error ?? "handled", undefined),
    done: (error, value) => ended(hooks, error ?? null, value),
  };
  return context;
}

// The old way of ending an invocation does not wait for the event loop.
function ended(hooks, error, value) {
  hooks.waits(false);
  hooks.done(error, value);
}
