"use strict";
// A custom resource as CloudFormation knows it: one request in, one answer to its ResponseURL, whatever happens.
// What is asked for is done by `work`, which each handler brings along. Requests come more than once, so work must
// bear being repeated. (AWS CloudFormation User Guide, "Custom resource request types" and "response objects".)

const http = require("http");
const https = require("https");

// Milliseconds. `margin` is kept back from the function's timeout for the answer; `propagation` is how long a role that
// was just made may still be denied, `lastRule` how long a bus waits for its other rules to go.
const timing = { first: 1000, most: 10000, margin: 15000, propagation: 45000, lastRule: 60000, answer: 5000 };
const CLIENTS = {
  "api-gateway": "APIGatewayClient",
  "cognito-identity-provider": "CognitoIdentityProviderClient",
  eventbridge: "EventBridgeClient",
  iam: "IAMClient",
  lambda: "LambdaClient",
  s3: "S3Client",
};
// The end of a physical id: the request failed before anything was made.
const NOT_MADE = "-not-made";
const ANSWERS = 4;
const LONGEST_REASON = 1000;
const DENIED = new Set(["AccessDenied", "AccessDeniedException", "UnauthorizedException"]);

class OutOfTime extends Error {}

/** One request: what is wanted, and the means to do it. */
class Resource {
  constructor(event, context) {
    this.requestType = event.RequestType;
    this.logicalId = event.LogicalResourceId;
    this.stackId = event.StackId;
    this.properties = event.ResourceProperties || {};
    this.old = (event.RequestType === "Update" && event.OldResourceProperties) || null;
    this.physicalId = event.PhysicalResourceId || `${event.LogicalResourceId}${NOT_MADE}`;
    // A resource that Serverless Framework v3 made in this stack, and that is ours to change from now on.
    this.isFormer = this.physicalId.startsWith("CustomResource");
    const [, partition, , region, account] = context.invokedFunctionArn.split(":");
    Object.assign(this, { partition, region, account });
    this.started = Date.now();
    this.deadline = this.started + context.getRemainingTimeInMillis() - timing.margin;
    this.given = new AbortController();
    this.clients = new Map();
    this.hidden = [event.ResponseURL];
    this.obstacle = null; // what was last waited for to pass
  }

  /**
   * Name what this stands for. Another `key` than the one before is another resource: CloudFormation then deletes the
   * former one by itself, with its former properties.
   */
  identify(key, before, mark = "") {
    if (this.requestType === "Create" || (this.requestType === "Update" && key !== before)) {
      this.physicalId = `${this.logicalId}/${key}${mark}`;
    }
  }

  functionArn(name) {
    return name.startsWith("arn:") ? name : this.arn("lambda", `function:${name}`);
  }

  arn(service, rest) {
    return ["arn", this.partition, service, this.region, this.account, rest].join(":");
  }

  /** A value that neither the log nor the stack's events may show, should a message repeat it. */
  hide(value) {
    if (typeof value === "string" && value.length > 3) this.hidden.push(value);
  }

  /** An error in words that may be shown. */
  tell(error) {
    const name = error && error.name && error.name !== "Error" ? `${error.name}: ` : "";
    let text = `${name}${(error && error.message) || error}`;
    for (const value of this.hidden) text = text.split(value).join("***");
    return text.slice(0, LONGEST_REASON);
  }

  log(what) {
    console.log(JSON.stringify({ requestType: this.requestType, logicalId: this.logicalId, what }));
  }

  /** One operation of AWS: call("s3", "GetBucketNotificationConfiguration", {...}). */
  async call(service, operation, input, adapt = () => {}) {
    const changing = this.requestType !== "Delete";
    const propagated = this.started + timing.propagation;
    return this.retry(
      () => this.send(service, operation, input, adapt),
      (error) => changing && DENIED.has(error.name) && Date.now() < propagated,
    );
  }

  async send(service, operation, input, adapt) {
    const sdk = require(`@aws-sdk/client-${service}`);
    if (!this.clients.has(service)) {
      this.clients.set(service, new sdk[CLIENTS[service]]({ maxAttempts: 6 }));
    }
    this.checkTime();
    const command = new sdk[`${operation}Command`](input);
    adapt(command);
    return this.clients.get(service).send(command, { abortSignal: this.given.signal });
  }

  /**
   * The same for an operation in JSON, with all that it says. The SDK drops members that are younger than itself, and a
   * runtime's SDK does not age well.
   */
  async callWhole(service, operation, input) {
    let told;
    const parsed = await this.call(service, operation, input, ({ middlewareStack: stack }) => {
      const ask = (next) => (args) => {
        if (isJson(args.request)) args.request.body = JSON.stringify(input);
        return next(args);
      };
      const hear = (next) => async (args) => {
        const result = await next(args);
        const { response } = result;
        if (isJson(response)) {
          response.body = await bytes(response.body);
          if (response.statusCode < 300) told = JSON.parse(response.body.toString() || "{}");
        }
        return result;
      };
      // Before the length is set and the request is signed; and next to the wire, before the answer is read.
      stack.add(ask, { step: "build", priority: "high", name: "askWhole" });
      stack.add(hear, { step: "deserialize", priority: "low", name: "hearWhole" });
    });
    return told || parsed;
  }

  /** Do it, again as long as it fails in a way that passes. */
  async retry(attempt, passes, until = Infinity) {
    for (let pause = timing.first; ; pause = Math.min(pause * 2, timing.most)) {
      try {
        return await attempt();
      } catch (error) {
        const next = Date.now() + pause;
        if (!passes(error) || next > until || next > this.deadline) throw error;
        this.obstacle = error;
        await sleep(pause);
        this.checkTime();
      }
    }
  }

  checkTime() {
    if (this.given.signal.aborted) throw new OutOfTime("given up");
  }
}

function isJson({ headers }) {
  const name = Object.keys(headers).find((each) => each.toLowerCase() === "content-type");
  return name !== undefined && headers[name].includes("json");
}

async function bytes(body) {
  if (body instanceof Uint8Array) return Buffer.from(body);
  const chunks = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Swallow errors of these names: what was to be removed is not there. */
async function unlessMissing(promise, ...names) {
  try {
    return await promise;
  } catch (error) {
    if (!names.includes(error.name)) throw error;
    return undefined;
  }
}

function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The Lambda function that answers for what `work(resource)` does. */
function customResource(work) {
  return async function handler(event, context) {
    const resource = new Resource(event, context);
    let status = "SUCCESS";
    let reason;
    try {
      await inTime(resource, work);
      resource.log("done");
    } catch (error) {
      status = "FAILED";
      reason = `${resource.tell(error)} (log stream ${context.logStreamName})`;
      resource.log(`failed: ${resource.tell(error)}`);
    }
    await answer(event, resource, status, reason);
  };
}

async function inTime(resource, work) {
  let timer;
  const late = new Promise((_, reject) => {
    const give = () => {
      const obstacle = resource.obstacle ? ` (${resource.tell(resource.obstacle)})` : "";
      reject(new OutOfTime(`this took longer than the function may run${obstacle}; deploy again`));
      resource.given.abort();
    };
    timer = setTimeout(give, Math.max(0, resource.deadline - Date.now()));
  });
  try {
    const undone = resource.requestType === "Delete" && resource.physicalId.endsWith(NOT_MADE);
    if (!undone) await Promise.race([work(resource), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function answer(event, resource, status, reason) {
  const body = JSON.stringify({
    Status: status,
    Reason: reason,
    PhysicalResourceId: resource.physicalId,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
  });
  for (let left = ANSWERS; ; left -= 1) {
    const code = await put(event.ResponseURL, body).catch((error) => error.code || "an error");
    if (code >= 200 && code < 300) return;
    // An error here makes Lambda run the whole once more, which is what is left to try.
    if (left === 1 || (code >= 400 && code < 500)) throw new Error(`CloudFormation's URL answered ${code}`);
    await sleep(timing.first);
  }
}

function put(url, body) {
  const { request } = url.startsWith("http:") ? http : https;
  // The URL is signed for an empty content type.
  const headers = { "content-type": "", "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "PUT", headers, timeout: timing.answer }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode));
    });
    sent.on("timeout", () => sent.destroy(Object.assign(new Error("timeout"), { code: "nothing in time" })));
    sent.on("error", reject);
    sent.end(body);
  });
}

module.exports = { customResource, unlessMissing, timing };
