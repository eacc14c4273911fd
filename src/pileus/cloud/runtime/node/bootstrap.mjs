// The Node.js runtime: an execution environment's process, from its start to its end. A spare one waits here until the
// server tells it, over its inherited socket, which function it is; then init phase, then one event after another.
//
// Between two events the process sits in a read and nothing of it runs, as a frozen environment in Lambda.

import inspector from "node:inspector";
import Module from "node:module";
import { Client } from "./client.mjs";
import { contextOf } from "./context.mjs";
import { Fault, asDocument } from "./errors.mjs";
import { Loaded, loadHandler, sdkHint } from "./handler.mjs";
import { Log } from "./logs.mjs";
import { ResponseStream, installGlobals, isStreaming } from "./streaming.mjs";

const UNSETTLED =
  "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise " +
  "that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes";
const NO_CALLBACKS =
  "AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify " +
  "this function to use a supported handler signature to use Node.js 24 or later. For more information see " +
  "https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.";

class Runtime {
  constructor(client, told) {
    this.client = client;
    this.told = told;
    this.log = new Log();
    this.handler = null;
    this.loaded = told.reload ? new Loaded(told.root) : null;
    this.requestId = undefined; // of the event under way
    this.stream = null;
    this.onEmptyLoop = null;
    this.callbacks = major(told.runtime) < 24;
  }

  async run() {
    this.watchProcess();
    installGlobals();
    try {
      const found = await loadHandler(this.told);
      if (found.length >= 3 && !this.callbacks && !isStreaming(found)) {
        throw new Fault("Runtime.CallbackHandlerDeprecated", NO_CALLBACKS);
      }
      this.handler = found;
    } catch (error) {
      this.failInit(error);
    }
    this.noteVersion();
    this.reportFiles();
    for (;;) {
      const invocation = this.client.debugged ? await this.client.nextAsync() : this.client.next();
      if (invocation.slept) await loopTurns();
      await this.serve(invocation);
    }
  }

  noteVersion() {
    const wanted = major(this.told.runtime);
    const [have] = process.versions.node.split(".");
    if (Number.isFinite(wanted) && wanted !== Number(have)) {
      this.client.note(
        `${this.told.runtime} functions run on Node.js ${have} here: have Node.js ${wanted} in PATH (or in nvm) to match AWS`,
      );
    }
  }

  failInit(error) {
    this.log.failure("Uncaught Exception", error);
    const hint = sdkHint(error);
    if (hint) this.client.note(hint);
    this.reportFiles();
    this.client.failInit(Buffer.from(JSON.stringify(asDocument(error))));
    process.reallyExit(1);
  }

  reportFiles() {
    const news = this.loaded?.news();
    if (news) this.client.reportFiles(Buffer.from(JSON.stringify(news)));
  }

  // -- what goes wrong outside of the handler's own promise ------------------------------------------------------

  watchProcess() {
    process.on("beforeExit", () => {
      const action = this.onEmptyLoop;
      if (action) setImmediate(action); // in a turn of its own: the loop then asks again
      else if (this.handler === null) process.exit(13); // init waits for what never comes; the code is Node's
    });
    process.on("uncaughtException", (error) => this.crash("Uncaught Exception", error, error, 129));
    process.on("unhandledRejection", (reason) => {
      const error = new Fault("Runtime.UnhandledPromiseRejection", String(reason));
      error.reason = reason;
      if (reason instanceof Error && reason.stack) {
        const [, ...frames] = reason.stack.split("\n");
        error.stack = [`${error.name}: ${error.message}`, ...frames].join("\n");
      }
      this.crash("Unhandled Promise Rejection", error, error, 128);
    });
  }

  crash(title, logged, error, code) {
    this.log.failure(title, logged);
    const document = Buffer.from(JSON.stringify(asDocument(error)));
    if (this.requestId === undefined) {
      if (this.handler === null) this.client.failInit(document);
    } else {
      this.reportFiles();
      if (this.stream?.begun) this.stream.abort(asDocument(error));
      else this.client.fail(this.requestId, document);
      this.client.flush();
    }
    process.reallyExit(code);
  }

  // -- one event -------------------------------------------------------------------------------------------------

  async serve({ requestId, headers, payload }) {
    this.requestId = requestId;
    this.log.requestId = requestId;
    const trace = headers["lambda-runtime-trace-id"];
    if (trace) process.env._X_AMZN_TRACE_ID = trace;
    else delete process.env._X_AMZN_TRACE_ID;
    try {
      const event = JSON.parse(payload);
      if (isStreaming(this.handler)) await this.streamed(event, headers, requestId);
      else this.respond(requestId, await this.result(event, headers, requestId));
    } catch (error) {
      this.log.failure("Invoke Error", error);
      this.reportFiles();
      if (this.stream?.begun) this.stream.abort(asDocument(error));
      else this.client.fail(requestId, Buffer.from(JSON.stringify(asDocument(error))));
    } finally {
      this.onEmptyLoop = null;
      this.stream = null;
      this.requestId = undefined;
    }
  }

  respond(requestId, result) {
    let body;
    try {
      body = JSON.stringify(result === undefined ? null : result) ?? "null";
    } catch (error) {
      throw Object.assign(new Fault("Runtime.JSONStringifyError", "Unable to stringify response body"), {
        cause: error,
      });
    }
    this.reportFiles();
    this.client.respond(requestId, body);
  }

  // Settles as a handler of either kind does: with its promise, with its callback, or with nothing at all once there
  // is nothing left that could call back.
  result(event, headers, requestId) {
    return new Promise((resolve, reject) => {
      let waits = true;
      let ended = false; // by its callback: what its promise says no longer counts
      const callback = (error, value) => {
        if (ended) return;
        ended = true;
        if (error !== undefined && error !== null) reject(error);
        else if (waits) this.onEmptyLoop = () => resolve(value);
        else resolve(value);
      };
      const context = contextOf(headers, requestId, {
        waits: (value) => (value === undefined ? waits : (waits = value)),
        done: callback,
      });
      this.onEmptyLoop = () => resolve(null);
      const returned = this.callbacks ? this.handler(event, context, callback) : this.handler(event, context);
      if (typeof returned?.then === "function") {
        if (!ended) this.onEmptyLoop = () => this.unsettled();
        returned.then(
          (value) => ended || resolve(value),
          (error) => ended || reject(error),
        );
      } else if (!this.callbacks) {
        resolve(returned);
      }
    });
  }

  async streamed(event, headers, requestId) {
    const stream = (this.stream = new ResponseStream(this.client, requestId));
    const context = contextOf(headers, requestId, { waits: () => true, done: () => {} });
    const finished = new Promise((resolve, reject) => stream.once("finish", resolve).once("error", reject));
    finished.catch(() => {});
    this.onEmptyLoop = () => this.unsettled();
    const returned = this.handler(event, stream, context);
    if (returned === null || typeof returned?.then !== "function") {
      throw new Fault("Runtime.MalformedStreamingHandler", "Streaming does not support non-async handlers.");
    }
    await returned;
    await finished;
    this.reportFiles();
    stream.complete();
  }

  // An async handler that waits for what can't come any more.
  unsettled() {
    const error = new Fault("Runtime.NodeJsExit", UNSETTLED);
    error.stack = `${error.name}: ${error.message}`;
    this.crash("Uncaught Exception", error, error, 13);
  }
}

function major(runtime) {
  return Number.parseInt(/^nodejs(\d+)/.exec(runtime)?.[1], 10) || Number.NaN;
}

// What happened while the environment was frozen (sockets that the other side closed) is noticed before the event.
async function loopTurns() {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function settle(told) {
  for (const name of Object.keys(process.env)) if (!(name in told.env)) delete process.env[name];
  for (const [name, value] of Object.entries(told.env)) if (process.env[name] !== value) process.env[name] = value;
  Module._initPaths();
  process.chdir(told.root);
  if (told.sourceMaps) process.setSourceMapsEnabled(true);
}

// A function that is debugged: the inspector listens where the server says, which hands debuggers on to it. A client that
// is there already sees the init phase from its first line.
function openInspector() {
  const debug = process.env.PILEUS_DEBUG;
  if (debug === undefined) return;
  delete process.env.PILEUS_DEBUG;
  const { port, wait } = JSON.parse(debug);
  if (port) inspector.open(port, "127.0.0.1", wait);
}

const client = new Client(3);
const told = client.told();
settle(told);
openInspector();
client.address = told.env.AWS_LAMBDA_RUNTIME_API;
new Runtime(client, told).run();
