// The runtime's side of the Runtime API, on the socket that it inherits.
//
// The response to one event and the wait for the next one go out in a single write, and the server answers both in a
// single one: two context switches an invocation. Reads block, which is what freezes the environment between events.

import fs from "node:fs";
import inspector from "node:inspector";

const PATH = "/2018-06-01/runtime/";
const ACCEPTED = Buffer.from(
  'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n',
);
const END = Buffer.from("\r\n\r\n");
const LONG_SLEEP_MS = 1000;

export class Client {
  #fd;
  #buffer = Buffer.alloc(0);
  #chunk = Buffer.allocUnsafeSlow(65536);
  #pending = [];
  #unanswered = 0;
  #host = "";
  #next = null;

  constructor(fd) {
    this.#fd = fd;
  }

  set address(address) {
    this.#host = ` HTTP/1.1\r\nHost: ${address}\r\n`;
    this.#next = Buffer.from(`GET ${PATH}invocation/next${this.#host}\r\n`);
  }

  // A debugger must get through to the process while it waits.
  get debugged() {
    return inspector.url() !== undefined;
  }

  // What the server says first: four bytes of length, then JSON.
  told() {
    while (this.#buffer.length < 4) this.#more();
    const length = this.#buffer.readUInt32BE(0);
    while (this.#buffer.length < 4 + length) this.#more();
    const text = this.#buffer.toString("utf8", 4, 4 + length);
    this.#buffer = this.#buffer.subarray(4 + length);
    return JSON.parse(text);
  }

  next() {
    this.#pending.push(this.#next);
    this.flush();
    const began = Date.now();
    for (; this.#unanswered > 0; this.#unanswered--) this.#read();
    const { head, body } = this.#read();
    return invocationOf(head, body, Date.now() - began > LONG_SLEEP_MS);
  }

  async nextAsync() {
    this.#pending.push(this.#next);
    this.flush();
    for (; this.#unanswered > 0; this.#unanswered--) await this.#readAsync();
    const { head, body } = await this.#readAsync();
    return invocationOf(head, body, false);
  }

  respond(requestId, body) {
    this.#post(`invocation/${requestId}/response`, body);
  }

  fail(requestId, body) {
    this.#post(`invocation/${requestId}/error`, body);
  }

  reportFiles(body) {
    this.#post("pileus/files", body);
  }

  note(text) {
    this.#post("pileus/note", Buffer.from(text));
  }

  failInit(body) {
    this.#post("init/error", body);
    this.flush();
    this.#read();
  }

  // -- a response in chunks --------------------------------------------------------------------------------------

  beginStream(requestId, contentType) {
    this.#write(
      Buffer.from(
        `POST ${PATH}invocation/${requestId}/response${this.#host}Content-Type: ${contentType}\r\n` +
          "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n" +
          "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n",
      ),
    );
  }

  sendChunk(chunk) {
    if (chunk.length === 0) return;
    this.#write(Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")]));
  }

  // error: the document of one that came after the response had begun.
  endStream(error) {
    let trailers = "";
    if (error) {
      const encoded = Buffer.from(JSON.stringify(error)).toString("base64");
      trailers =
        `Lambda-Runtime-Function-Error-Type: ${String(error.errorType).replace(/[^\x21-\x7e]/g, "?")}\r\n` +
        `Lambda-Runtime-Function-Error-Body: ${encoded}\r\n`;
    }
    this.#pending.push(Buffer.from(`0\r\n${trailers}\r\n`));
    this.#unanswered++;
  }

  // -- the socket ------------------------------------------------------------------------------------------------

  #post(path, body) {
    const text = typeof body === "string";
    const length = text ? Buffer.byteLength(body) : body.length;
    const head = `POST ${PATH}${path}${this.#host}Content-Length: ${length}\r\n\r\n`;
    if (text) this.#pending.push(Buffer.from(head + body));
    else this.#pending.push(Buffer.from(head), body);
    this.#unanswered++;
  }

  flush() {
    if (this.#pending.length === 0) return;
    const data = this.#pending.length === 1 ? this.#pending[0] : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#write(data);
  }

  #write(data) {
    try {
      for (let sent = 0; sent < data.length; ) sent += fs.writeSync(this.#fd, data, sent, data.length - sent);
    } catch {
      process.reallyExit(0); // the server is gone
    }
  }

  #more() {
    let count = 0;
    try {
      count = fs.readSync(this.#fd, this.#chunk, 0, this.#chunk.length, null);
    } catch {
      // as at the end
    }
    this.#took(count);
  }

  #moreAsync() {
    return new Promise((resolve) => {
      fs.read(this.#fd, this.#chunk, 0, this.#chunk.length, null, (error, count) => {
        this.#took(error ? 0 : count);
        resolve();
      });
    });
  }

  #took(count) {
    if (count === 0) process.reallyExit(0);
    const read = Buffer.from(this.#chunk.subarray(0, count));
    this.#buffer = this.#buffer.length === 0 ? read : Buffer.concat([this.#buffer, read]);
  }

  // The answer at the front of the buffer, or how many bytes are there to come (0: not known yet).
  #take() {
    const buffer = this.#buffer;
    if (buffer.length >= ACCEPTED.length && buffer.compare(ACCEPTED, 0, ACCEPTED.length, 0, ACCEPTED.length) === 0) {
      this.#buffer = buffer.subarray(ACCEPTED.length);
      return { head: "", body: null };
    }
    const end = buffer.indexOf(END);
    if (end < 0) return 0;
    const head = buffer.latin1Slice(0, end);
    const start = end + 4;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (buffer.length < start + length) return start + length - buffer.length;
    this.#buffer = buffer.subarray(start + length);
    return { head, body: buffer.subarray(start, start + length) };
  }

  #read() {
    for (;;) {
      const taken = this.#take();
      if (typeof taken === "object") return taken;
      if (taken > this.#chunk.length) this.#fill(taken);
      else this.#more();
    }
  }

  async #readAsync() {
    for (;;) {
      const taken = this.#take();
      if (typeof taken === "object") return taken;
      await this.#moreAsync();
    }
  }

  // A large event arrives in many pieces: they are put into place once.
  #fill(missing) {
    const whole = Buffer.allocUnsafe(this.#buffer.length + missing);
    let filled = this.#buffer.copy(whole);
    try {
      while (filled < whole.length) {
        const count = fs.readSync(this.#fd, whole, filled, whole.length - filled, null);
        if (count === 0) process.reallyExit(0);
        filled += count;
      }
    } catch {
      process.reallyExit(0);
    }
    this.#buffer = whole;
  }
}

function invocationOf(head, body, slept) {
  const headers = {};
  for (const line of head.split("\r\n").slice(1)) {
    const colon = line.indexOf(": ");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 2);
  }
  return { requestId: headers["lambda-runtime-aws-request-id"], headers, payload: body.utf8Slice(), slept };
}
