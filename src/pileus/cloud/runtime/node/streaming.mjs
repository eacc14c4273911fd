// Streamed responses: the global `awslambda`, and the stream that a handler writes to.

import { Writable } from "node:stream";

const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const HTTP = "application/vnd.awslambda.http-integration-response";
const PLAIN = "application/octet-stream";

export function isStreaming(handler) {
  return handler[STREAMING] === "response";
}

export class ResponseStream extends Writable {
  #client;
  #requestId;
  #contentType = PLAIN;
  #prelude = null;

  constructor(client, requestId) {
    super({ highWaterMark: 64 * 1024 });
    this.#client = client;
    this.#requestId = requestId;
    this.begun = false;
  }

  setContentType(contentType) {
    if (this.begun) throw new Error("Cannot set content-type, too late.");
    this.#contentType = String(contentType);
  }

  _onBeforeFirstWrite(write) {
    this.#prelude = write;
  }

  _write(chunk, encoding, callback) {
    this.#begin();
    this.#client.sendChunk(typeof chunk === "string" ? Buffer.from(chunk, encoding) : Buffer.from(chunk));
    setImmediate(callback); // what else is due gets its turn between two chunks
  }

  _final(callback) {
    this.#begin();
    callback();
  }

  #begin() {
    if (this.begun) return;
    this.begun = true;
    this.#client.beginStream(this.#requestId, this.#contentType.replace(/[\r\n]/g, ""));
    this.#prelude?.((chunk) => this.#client.sendChunk(Buffer.from(chunk)));
  }

  // The end of the response, which waits for the next event to go with it.
  complete() {
    this.#client.endStream(null);
  }

  abort(document) {
    this.#client.endStream(document);
  }
}

const HttpResponseStream = {
  from(stream, metadata) {
    stream.setContentType(HTTP);
    stream._onBeforeFirstWrite((write) => {
      write(JSON.stringify(metadata ?? {}));
      write(Buffer.alloc(8));
    });
    return stream;
  },
};

export function installGlobals() {
  globalThis.awslambda = {
    ...globalThis.awslambda,
    streamifyResponse(handler, options) {
      handler[STREAMING] = "response";
      if (typeof options?.highWaterMark === "number") {
        handler[Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark")] = options.highWaterMark;
      }
      return handler;
    },
    HttpResponseStream,
  };
}
