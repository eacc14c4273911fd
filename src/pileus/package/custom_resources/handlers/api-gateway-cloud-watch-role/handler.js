"use strict";
// The role that API Gateway writes logs with: one for the whole account and region. One that is set and exists stays,
// whoever set it, unless the service names its own. It is never taken away: other services log with it too.

const { customResource, unlessMissing } = require("../custom-resource");

const NAME = "pileusApiGatewayCloudWatchRole";
const PASSING = new Set(["TooManyRequestsException", "LimitExceededException", "ConflictException"]);
const TRUST = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "apigateway.amazonaws.com" }, Action: "sts:AssumeRole" }],
};

async function work(resource) {
  resource.identify("account", "account");
  if (resource.requestType === "Delete") return;
  // `logs.restApi: false` comes here as the text "false".
  const { RoleArn: given } = resource.properties;
  const named = given && given !== "false" ? given : undefined;
  const { cloudwatchRoleArn: current } = await resource.call("api-gateway", "GetAccount", {});
  if (named ? current === named : current && (await exists(resource, current))) return;
  const arn = named || (await makeRole(resource));
  const patchOperations = [{ op: "replace", path: "/cloudwatchRoleArn", value: arn }];
  const set = () => resource.call("api-gateway", "UpdateAccount", { patchOperations });
  await resource.retry(set, passing);
}

/** A role that was just made is not seen everywhere yet, and accounts may be changed a few times a minute only. */
function passing(error) {
  if (error.name === "BadRequestException") return /role/i.test(error.message);
  return PASSING.has(error.name);
}

async function exists(resource, arn) {
  const role = { RoleName: arn.split("/").pop() };
  const found = resource.call("iam", "ListAttachedRolePolicies", role);
  return (await unlessMissing(found, "NoSuchEntity", "NoSuchEntityException")) !== undefined;
}

async function makeRole(resource) {
  const role = { RoleName: NAME, AssumeRolePolicyDocument: JSON.stringify(TRUST) };
  const made = resource.call("iam", "CreateRole", role);
  await unlessMissing(made, "EntityAlreadyExists", "EntityAlreadyExistsException");
  const policy = "policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs";
  await resource.call("iam", "AttachRolePolicy", {
    RoleName: NAME,
    PolicyArn: `arn:${resource.partition}:iam::aws:${policy}`,
  });
  return `arn:${resource.partition}:iam::${resource.account}:role/${NAME}`;
}

exports.handler = customResource(work);
