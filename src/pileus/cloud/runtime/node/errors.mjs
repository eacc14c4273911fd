// Errors as Lambda's Node.js runtime writes them, in documents and in the log.

import { types } from "node:util";

const OURS = new URL(".", import.meta.url).href;

// An error of the runtime's own: `kind` is the errorType on the wire.
export class Fault extends Error {
  constructor(kind, message) {
    super(message);
    this.name = kind;
    Object.defineProperty(this, "name", { enumerable: false });
  }
}

function isError(value) {
  return value instanceof Error || types.isNativeError(value);
}

// The lines of a stack without the frames of the runtime.
export function traceOf(error) {
  const lines = String(error.stack ?? "").split("\n");
  return lines.filter((line, at) => !isOurs(line) && !(line.includes("at new Promise (") && isOurs(lines[at + 1])));
}

function isOurs(line) {
  return line?.includes(OURS) ?? false;
}

export function asDocument(error) {
  try {
    if (isError(error)) {
      return { errorType: String(error.name), errorMessage: error.message, trace: traceOf(error) };
    }
    return { errorType: typeof error, errorMessage: error.toString(), trace: [] };
  } catch {
    return {
      errorType: "handled",
      errorMessage:
        "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack",
    };
  }
}

// An error in a line of the log.
export function formatted(error) {
  try {
    return JSON.stringify(error, (_, value) => withProperties(value)) ?? JSON.stringify(asDocument(error));
  } catch {
    return JSON.stringify(asDocument(error));
  }
}

function withProperties(error) {
  if (!isError(error)) return error;
  const found = { errorType: error.name, errorMessage: error.message, code: error.code, ...error };
  if (typeof error.stack === "string") found.stack = traceOf(error);
  return found;
}
