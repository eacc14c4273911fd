// Finding the handler, by the rules of Lambda's Node.js runtime and with its words for what goes wrong.

import fs from "node:fs";
import Module, { createRequire, syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Fault } from "./errors.mjs";

// The name under which Lambda's runtime requires a function, as it shows in "Require stack".
const require = createRequire("/var/runtime/index.mjs");
const SDK = /Cannot find (?:module|package) '((?:@aws-sdk|@smithy)\/[^'/]+|aws-sdk)/;

// told: root, handler, and `module` where the code was built elsewhere (its path without the suffix).
export async function loadHandler(told) {
  const { handler, root } = told;
  if (handler.includes("..")) {
    throw new Fault(
      "Runtime.MalformedHandlerName",
      `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const name = path.basename(handler);
  const folder = handler.slice(0, handler.length - name.length);
  const parts = /^([^.]*)\.(.*)$/.exec(name);
  if (!parts || parts[2] === "") throw new Fault("Runtime.MalformedHandlerName", "Bad handler");
  const [, module, nested] = parts;
  const loaded = await load(root, folder, module, told.module);
  const found = nested.split(".").reduce((object, key) => object?.[key], loaded);
  if (!found) throw new Fault("Runtime.HandlerNotFound", `${handler} is undefined or not exported`);
  if (typeof found !== "function") throw new Fault("Runtime.HandlerNotFound", `${handler} is not a function`);
  return found;
}

async function load(root, folder, module, built) {
  try {
    return await loadModule(root, folder, module, built);
  } catch (error) {
    if (error instanceof SyntaxError) throw because("Runtime.UserCodeSyntaxError", error);
    if (error?.code === "MODULE_NOT_FOUND") throw because("Runtime.ImportModuleError", error);
    throw error;
  }
}

async function loadModule(root, folder, module, built) {
  const stem = built ?? path.resolve(root, folder, module);
  if (isFile(stem)) return require(stem);
  if (isFile(`${stem}.js`)) {
    const file = `${stem}.js`;
    return isModulePackage(path.dirname(stem)) ? import(pathToFileURL(file).href) : require(file);
  }
  if (isFile(`${stem}.mjs`)) return import(pathToFileURL(`${stem}.mjs`).href);
  if (isFile(`${stem}.cjs`)) return require(`${stem}.cjs`);
  return require(require.resolve(module, { paths: [root, path.resolve(root, folder)] }));
}

function isFile(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isModulePackage(folder) {
  for (let at = folder; ; at = path.dirname(at)) {
    try {
      return JSON.parse(fs.readFileSync(path.join(at, "package.json"), "utf8")).type === "module";
    } catch (error) {
      if (error instanceof SyntaxError) return false;
    }
    if (at === path.dirname(at)) return false;
  }
}

function because(kind, reason) {
  const error = new Fault(kind, String(reason));
  const place = /^(\S.*:\d+)\n/.exec(reason.stack ?? ""); // where the syntax is wrong
  const frames = String(reason.stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line) && !line.includes("node:internal"));
  error.stack = [`${kind}: ${reason}`, ...(place ? [`    at ${place[1]}`] : []), ...frames].join("\n");
  return error;
}

// A line for the user where what is missing is what Lambda brings along.
export function sdkHint(error) {
  const found = SDK.exec(String(error?.message));
  if (!found) return null;
  return `Lambda's Node.js runtimes bring the AWS SDK along; here it is the project's own: npm install --save-dev ${found[1]}`;
}

// The project's own files that have been required or read since the last question. What is imported can't be asked for;
// the server takes all of the project's modules for read.
export class Loaded {
  #files = new Set();
  #told = new Set();

  constructor(root) {
    const prefix = root + path.sep;
    const notTheirs = /[\\/](?:node_modules|\.pileus)[\\/]/; // what we build is no source
    const note = (file) => {
      const full = file instanceof URL ? fileURLToPath(file) : typeof file === "string" ? path.resolve(file) : "";
      if (full.startsWith(prefix) && !notTheirs.test(full) && !this.#told.has(full)) this.#files.add(full);
    };
    const noting = (target, name) => {
      const original = target[name];
      target[name] = function (file, ...rest) {
        note(file);
        return original.call(this, file, ...rest);
      };
    };
    noting(Module.prototype, "load");
    noting(fs, "readFileSync");
    noting(fs, "readFile");
    noting(fs, "createReadStream");
    noting(fs.promises, "readFile");
    syncBuiltinESMExports();
  }

  news() {
    if (this.#files.size === 0) return null;
    const files = [...this.#files];
    this.#files.clear();
    for (const file of files) this.#told.add(file);
    return files;
  }
}
