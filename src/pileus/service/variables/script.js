// Runs beside a configuration file written in JavaScript and speaks JSON lines with the loader:
// out {ask: "self:service"} → in {value} or {error}; out {done: value} or {failed: "message"} once.
'use strict';
const { createInterface } = require('node:readline');
const { pathToFileURL } = require('node:url');

const waiting = [];
const { writeSync } = require('node:fs');
const [out, file, address, options] = JSON.parse(process.argv[2]);
const send = (message) => writeSync(out, `${JSON.stringify(message)}\n`);
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { resolve, reject } = waiting.shift();
  const answer = JSON.parse(line);
  if (answer.error) reject(new Error(answer.error));
  else resolve(answer.value);
});
const ask = (variable) =>
  new Promise((resolve, reject) => {
    waiting.push({ resolve, reject });
    send({ ask: variable });
  });

async function main() {
  let found = file.endsWith('.mjs') ? (await import(pathToFileURL(file))).default : require(file);
  const context = {
    options,
    resolveVariable: ask,
    resolveConfigurationProperty: (path) => ask(`self:${path.join('.')}`),
  };
  const settle = async (value) => (typeof value === 'function' ? value(context) : value);
  found = await settle(found);
  for (const part of address) {
    if (found === null || found === undefined) break;
    found = await settle(found[part]);
  }
  found = await found;
  send({ done: found === undefined ? null : found });
}
main()
  .catch((error) => send({ failed: String((error && error.message) || error) }))
  .finally(() => process.exit(0));
