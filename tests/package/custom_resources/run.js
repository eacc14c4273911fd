// Runs handlers as Lambda would, with an SDK that answers from a script and notes what it was asked.
// stdin: a job a line, {root, handler, event, remaining, timing, script: {Operation: [answer, ...]}}; an answer is a result,
// {error: {name, message}} or {never: true}, and the last one of an operation is repeated.
// stdout: a line a job, {calls, logs, thrown}.
"use strict";
const Module = require("module");
const { Readable } = require("stream");
let job;
let calls;
let logs;
console.log = (...texts) => logs.push(texts.join(" "));
console.warn = console.error = console.log;

function answer(operation) {
  const left = job.script[operation] || [{}];
  const next = left.length > 1 ? left.shift() : left[0];
  if (next.never) return new Promise(() => {});
  if (next.error) throw Object.assign(new Error(next.error.message || ""), { name: next.error.name });
  return JSON.parse(JSON.stringify(next));
}

// What a member is named that this SDK does not know: it neither sends it nor tells of it.
const UNKNOWN = "SettingOfTomorrow";

function known(value) {
  return JSON.parse(JSON.stringify(value, (name, each) => (name === UNKNOWN ? undefined : each)));
}

class Client {
  async send(command) {
    const headers = { "content-type": "application/x-amz-json-1.1" };
    let request = async (args) => {
      calls.push([command.operation, JSON.parse(args.request.body)]);
      const body = Readable.from([Buffer.from(JSON.stringify(await answer(command.operation)))]);
      return { response: { statusCode: 200, headers, body } };
    };
    for (const { middleware, step } of [...command.added].reverse()) {
      if (step !== "build") request = middleware(request);
    }
    for (const { middleware, step } of command.added) if (step === "build") request = middleware(request);
    const { response } = await request({ request: { headers, body: JSON.stringify(known(command.input)) } });
    const chunks = response.body instanceof Uint8Array ? [response.body] : await response.body.toArray();
    return known(JSON.parse(Buffer.concat(chunks).toString()));
  }
}

function member(_, name) {
  if (!name.endsWith("Command")) return name.endsWith("Client") ? Client : undefined;
  return class {
    constructor(input) {
      this.operation = name.slice(0, -"Command".length);
      this.input = input;
      this.added = [];
      this.middlewareStack = { add: (middleware, options) => this.added.push({ middleware, ...options }) };
    }
  };
}

const load = Module._load;
Module._load = function (name, ...rest) {
  if (!name.startsWith("@aws-sdk/")) return load.call(this, name, ...rest);
  if (job.without === name) throw new Error(`Cannot find module '${name}'`);
  return new Proxy({}, { get: member });
};

async function run(line) {
  job = JSON.parse(line);
  calls = [];
  logs = [];
  const context = {
    invokedFunctionArn: "arn:aws:lambda:eu-west-1:111122223333:function:shop-dev-custom-resource",
    logStreamName: "stream",
    getRemainingTimeInMillis: () => job.remaining,
  };
  let thrown = null;
  try {
    Object.assign(require(`${job.root}/custom-resource.js`).timing, job.timing);
    const [file, name] = job.handler.split(".");
    await require(`${job.root}/${file}`)[name](job.event, context);
  } catch (error) {
    thrown = String(error.message || error);
  }
  process.stdout.write(`${JSON.stringify({ calls, logs, thrown })}\n`);
}

(async () => {
  for await (const line of require("readline").createInterface({ input: process.stdin })) await run(line);
})();
