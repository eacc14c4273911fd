// console as Lambda sets it up: one line an event, text or JSON. Inner line breaks travel as "\r"; the server turns
// them back, so that a record of several lines is one log event as it is in CloudWatch.

import fs from "node:fs";
import { format } from "node:util";
import { formatted, traceOf } from "./errors.mjs";

const LEVELS = { TRACE: 5, DEBUG: 10, INFO: 20, WARN: 30, ERROR: 40, FATAL: 50 };
const METHODS = {
  log: "INFO",
  info: "INFO",
  warn: "WARN",
  error: "ERROR",
  debug: "DEBUG",
  trace: "TRACE",
  fatal: "FATAL",
};

export class Log {
  constructor() {
    this.requestId = undefined;
    this.json = process.env.AWS_LAMBDA_LOG_FORMAT === "JSON";
    this.least = (this.json && LEVELS[process.env.AWS_LAMBDA_LOG_LEVEL]) || 0;
    for (const [method, level] of Object.entries(METHODS)) {
      console[method] =
        LEVELS[level] < this.least ? () => {} : (...values) => this.write(level, values);
    }
  }

  write(level, values) {
    const time = new Date().toISOString();
    const line = this.json
      ? this.jsonLine(time, level, values)
      : `${time}\t${this.requestId}\t${level}\t${format(...values)}`;
    writeLine(line);
  }

  // An error that ends an invocation or the process. title: as in "Invoke Error".
  failure(title, error) {
    if (this.json) this.write("ERROR", [title, error]);
    else this.write("ERROR", [`${title} \t${formatted(error)}`]);
  }

  jsonLine(timestamp, level, values) {
    const record = { timestamp, level, requestId: this.requestId };
    if (values.length === 1) {
      const [value] = values;
      record.message = value !== null && typeof value === "object" ? value : format(value);
      if (value instanceof Error) return JSON.stringify({ ...record, message: errorFields(value) });
      try {
        return JSON.stringify(record, (_, each) => (each instanceof Error ? errorFields(each) : each));
      } catch {
        return JSON.stringify({ ...record, message: format(value) });
      }
    }
    record.message = format(...values);
    const error = values.find((value) => value instanceof Error);
    return JSON.stringify(error ? { ...record, ...errorFields(error) } : record);
  }
}

function errorFields(error) {
  return {
    errorType: error.constructor?.name === "Fault" ? error.name : (error.constructor?.name ?? "UnknownError"),
    errorMessage: error.message,
    stackTrace: traceOf(error),
  };
}

function writeLine(line) {
  let data = Buffer.from(`${line.replace(/\r\n|\n/g, "\r")}\n`);
  while (data.length > 0) {
    try {
      data = data.subarray(fs.writeSync(1, data));
    } catch (error) {
      if (error.code !== "EAGAIN") return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); // the pipe is full: the server will read on
    }
  }
}
