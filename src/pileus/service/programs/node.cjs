// Runs under node and evaluates configuration files. In, a line each: {job, file, address} or {answer, value | error}.
// Out: {ask, variable}, or once a job {job, value} or {job, failed, at}. What a file exports may be a value, a promise
// of one, or a function giving one, which is called with {options, resolveVariable, resolveConfigurationProperty}.
'use strict';
const { writeSync, readFileSync } = require('node:fs');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { pathToFileURL } = require('node:url');
const Module = require('node:module');

const [out, folder, options] = JSON.parse(process.argv[2]);
const waiting = new Map();
let asked = 0;

function send(message) {
  let rest = Buffer.from(`${JSON.stringify(message)}\n`);
  while (rest.length) {
    try {
      rest = rest.subarray(writeSync(out, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

const resolveVariable = (variable) =>
  new Promise((resolve, reject) => {
    asked += 1;
    waiting.set(asked, { resolve, reject });
    send({ ask: asked, variable });
  });

const context = {
  options,
  resolveVariable,
  resolveConfigurationProperty: (parts) => resolveVariable(`self:${parts.join('.')}`),
};

const settle = async (value) => (typeof value === 'function' ? value(context) : value);

// TypeScript: the project's own compiler, whichever it has; else node's, where it strips types by itself.
class NoCompiler extends Error {}
let typescriptIsReady = false;

function fromProject(name, file) {
  try {
    return require.resolve(name, { paths: [path.dirname(file), folder] });
  } catch {
    return null;
  }
}

function compileBy(transform) {
  for (const suffix of ['.ts', '.cts']) {
    Module._extensions[suffix] = (module, name) => module._compile(transform(readFileSync(name, 'utf8'), name), name);
  }
}

function prepareTypescript(file) {
  if (typescriptIsReady) return;
  typescriptIsReady = true;
  let found = fromProject('tsx/cjs', file);
  if (found) return void require(found);
  found = fromProject('ts-node', file);
  if (found) {
    const compilerOptions = { module: 'commonjs', moduleResolution: 'node' };
    try {
      return void require(found).register({ transpileOnly: true, compilerOptions });
    } catch {
      // it does not get on with the typescript beside it: try the others
    }
  }
  const aliases = fromProject('tsconfig-paths/register', file);
  if (aliases) require(aliases);
  found = fromProject('esbuild', file);
  if (found) {
    const { transformSync } = require(found);
    return compileBy((source, sourcefile) => {
      const made = transformSync(source, { loader: 'ts', format: 'cjs', target: 'node18', sourcemap: 'inline', sourcefile });
      return made.code;
    });
  }
  found = fromProject('typescript', file);
  const { transpileModule, ModuleKind, ScriptTarget } = found ? require(found) : {};
  if (transpileModule) {
    // TypeScript 7 has no such function
    const compilerOptions = { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022, esModuleInterop: true };
    return compileBy((source, fileName) => transpileModule(source, { compilerOptions, fileName }).outputText);
  }
  if (!process.features.typescript) throw new NoCompiler();
}

async function load(file) {
  if (/\.[cm]?ts$/.test(file)) prepareTypescript(file);
  let loaded;
  try {
    if (!file.endsWith('.mjs') && !file.endsWith('.mts')) loaded = require(file);
  } catch (error) {
    if (!['ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE'].includes(error.code)) throw error;
  }
  if (loaded === undefined) loaded = await import(pathToFileURL(file));
  const isModule = loaded && (loaded.__esModule || loaded[Symbol.toStringTag] === 'Module');
  if (!isModule || loaded.default === undefined) return [loaded];
  return [loaded.default, loaded];
}

async function exported(file, address) {
  // A named export is found beside the default one.
  for (const start of await load(file)) {
    let value = await settle(start);
    for (const part of address) {
      if (value === null || value === undefined) break;
      value = await settle(value[part]);
    }
    if (value !== null && value !== undefined) return value;
  }
  return null;
}

function placeIn(error, file) {
  const stack = String((error && error.stack) || '');
  for (const name of [pathToFileURL(file).href, file]) {
    const start = stack.indexOf(`${name}:`);
    const numbers = start < 0 ? null : /^:(\d+)(?::(\d+))?/.exec(stack.slice(start + name.length));
    if (numbers) return [Number(numbers[1]), Number(numbers[2] || 1)];
  }
  return null;
}

const REMEDY = 'npm install --save-dev tsx (or ts-node, esbuild, typescript), or use a node that strips types (22.18 on)';

// A date or an object of a class is no configuration; functions and what is undefined inside an object are left out.
function checked(value) {
  const prototype = value === null || typeof value !== 'object' ? null : Object.getPrototypeOf(value);
  const name = prototype?.constructor?.name ?? 'Object';
  if (!['Object', 'Array'].includes(name)) throw new TypeError(`a ${name} is no configuration`);
  return value;
}

async function work({ job, file, address }) {
  let message;
  try {
    message = { job, value: checked(await exported(file, address)) };
    JSON.stringify(message);
  } catch (error) {
    message =
      error instanceof NoCompiler
        ? { job, failed: 'is TypeScript, and the project has nothing that compiles it', hint: REMEDY }
        : { job, failed: `threw: ${String((error && error.message) || error).split('\n', 1)[0]}`, at: placeIn(error, file) };
  }
  send(message);
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const message = JSON.parse(line);
    if (message.job) return void work(message);
    const { resolve, reject } = waiting.get(message.answer);
    waiting.delete(message.answer);
    if (message.error === undefined) resolve(message.value);
    else reject(new Error(message.error));
  })
  .on('close', () => process.exit(0));
process.on('unhandledRejection', () => {}); // of a question nobody waited for; the job itself tells its own
