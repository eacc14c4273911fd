"use strict";
// Who may invoke a function. A statement's id is made of whose it is and what it is for, so that to add it again changes
// nothing, and to take it away leaves those of others.

const { createHash } = require("crypto");
const { unlessMissing } = require("./custom-resource");

function statementId(resource, key) {
  const of = createHash("sha256").update([resource.stackId, resource.logicalId, key].join("\n"));
  return `pileus-${of.digest("hex").slice(0, 40)}`;
}

/** key: what it is for, such as a bucket's name. grant: Principal, SourceArn and the like. */
async function permit(resource, functionName, key, grant) {
  const input = {
    FunctionName: functionName,
    StatementId: statementId(resource, key),
    Action: "lambda:InvokeFunction",
    ...grant,
  };
  await unlessMissing(resource.call("lambda", "AddPermission", input), "ResourceConflictException");
}

/** former: the statement's id when Serverless Framework made it. */
async function forbid(resource, functionName, key, former = "") {
  const ids = [statementId(resource, key)];
  if (resource.isFormer && /^[\w-]{1,100}$/.test(former)) ids.push(former);
  for (const StatementId of ids) {
    const input = { FunctionName: functionName, StatementId };
    await unlessMissing(resource.call("lambda", "RemovePermission", input), "ResourceNotFoundException");
  }
}

module.exports = { permit, forbid };
