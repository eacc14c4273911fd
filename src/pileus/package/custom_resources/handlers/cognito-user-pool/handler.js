"use strict";
// Triggers of a user pool that another stack made. UpdateUserPool sets what it is not told to Cognito's defaults, so the
// whole pool is read, its triggers are changed, and the whole is written back.

const { customResource, unlessMissing } = require("../custom-resource");
const { permit, forbid } = require("../permissions");

const SENDERS = ["CustomSMSSender", "CustomEmailSender"];
// What DescribeUserPool tells and UpdateUserPool does not take (botocore's model of cognito-idp).
const FIXED = new Set([
  ...["Id", "Name", "Arn", "Status", "LastModifiedDate", "CreationDate", "SchemaAttributes"],
  ...["AliasAttributes", "UsernameAttributes", "UsernameConfiguration", "EstimatedNumberOfUsers"],
  ...["SmsConfigurationFailure", "EmailConfigurationFailure", "Domain", "CustomDomain"],
]);

async function work(resource) {
  const { UserPoolName: pool, FunctionName: name } = resource.properties;
  resource.identify(pool, resource.old && resource.old.UserPoolName);
  const found = await named(resource, pool);
  if (resource.requestType === "Delete") {
    for (const { Id: id } of found) await unlessMissing(change(resource, id, []), "ResourceNotFoundException");
    await forbid(resource, name, pool, `${name}-${pool.toLowerCase()}`);
    return;
  }
  if (found.length !== 1) {
    throw new Error(`${found.length || "no"} user pools of this account and region are named '${pool}', not one`);
  }
  const { Arn: arn } = await described(resource, found[0].Id);
  await permit(resource, name, pool, { Principal: "cognito-idp.amazonaws.com", SourceArn: arn });
  await change(resource, found[0].Id, resource.properties.UserPoolConfigs || []);
  const before = resource.old;
  if (before && before.FunctionName !== name) await forbid(resource, before.FunctionName, before.UserPoolName);
}

async function named(resource, name) {
  const found = [];
  let NextToken;
  do {
    const page = await resource.call("cognito-identity-provider", "ListUserPools", { MaxResults: 60, NextToken });
    found.push(...(page.UserPools || []).filter((pool) => pool.Name === name));
    NextToken = page.NextToken;
  } while (NextToken);
  return found;
}

async function described(resource, id) {
  const input = { UserPoolId: id };
  const found = await resource.callWhole("cognito-identity-provider", "DescribeUserPool", input);
  return found.UserPool;
}

async function change(resource, id, configs) {
  const passing = (error) => error.name === "ConcurrentModificationException";
  await resource.retry(async () => {
    const pool = await described(resource, id);
    const before = pool.LambdaConfig || {};
    const triggers = rewritten(resource, before, configs);
    if (configs.length === 0 && JSON.stringify(triggers) === JSON.stringify(before)) return;
    const input = { UserPoolId: id, ...kept(pool), LambdaConfig: triggers };
    await resource.callWhole("cognito-identity-provider", "UpdateUserPool", input);
  }, passing);
}

/** The triggers without our function (and the one that it was before), then with what is wanted of it. */
function rewritten(resource, before, configs) {
  const triggers = { ...before };
  for (const trigger of ours(resource, before)) {
    delete triggers[trigger];
    delete triggers[`${trigger}Config`];
  }
  const arn = resource.functionArn(resource.properties.FunctionName);
  for (const { Trigger: trigger, LambdaVersion: version, KMSKeyID: key } of configs) {
    if (triggers[trigger]) resource.log(`${trigger} was ${arnOf(triggers[trigger])}`);
    triggers[trigger] = version ? { LambdaArn: arn, LambdaVersion: version } : arn;
    // The detailed form of the same trigger must name the same function; its version is the pool's.
    const detailed = before[`${trigger}Config`];
    if (detailed) triggers[`${trigger}Config`] = { ...detailed, LambdaArn: arn };
    if (key) triggers.KMSKeyID = key;
  }
  if (!SENDERS.some((sender) => triggers[sender])) delete triggers.KMSKeyID;
  return triggers;
}

function ours(resource, triggers) {
  const known = [resource.properties, resource.old].filter(Boolean);
  const own = new Set(known.map((properties) => resource.functionArn(properties.FunctionName)));
  const named = known.flatMap((properties) => properties.UserPoolConfigs || []).map((config) => config.Trigger);
  return named.filter((trigger) => own.has(arnOf(triggers[trigger])));
}

function arnOf(trigger) {
  return trigger && typeof trigger === "object" ? trigger.LambdaArn : trigger;
}

function kept(pool) {
  const settings = {};
  for (const [name, value] of Object.entries(pool)) if (!FIXED.has(name)) settings[name] = value;
  settings.PoolName = pool.Name;
  const { PasswordPolicy: password } = pool.Policies || {};
  if (pool.AdminCreateUserConfig && password && password.TemporaryPasswordValidityDays) {
    // Told for old clients; a pool with the newer setting refuses it.
    const { UnusedAccountValidityDays: _, ...rest } = pool.AdminCreateUserConfig;
    settings.AdminCreateUserConfig = rest;
  }
  return settings;
}

exports.handler = customResource(work);
