"use strict";
// Notifications of a bucket that another stack made. A bucket has one configuration, written as a whole: it is read, what
// is ours in it is replaced, and everything else goes back as it was.

const { createHash } = require("crypto");
const { customResource, timing, unlessMissing } = require("../custom-resource");
const { permit, forbid } = require("../permissions");

const OURS = "pileus-";
const KINDS = [
  "TopicConfigurations",
  "QueueConfigurations",
  "LambdaFunctionConfigurations",
  "EventBridgeConfiguration",
];

async function work(resource) {
  const { BucketName: bucket, FunctionName: name } = resource.properties;
  resource.identify(bucket, resource.old && resource.old.BucketName);
  if (resource.requestType === "Delete") {
    try {
      const replaced = replace(resource, bucket, [], { SkipDestinationValidation: true });
      await unlessMissing(replaced, "NoSuchBucket");
    } finally {
      // The role may write to the buckets of the present template only; events of a former one must stop nevertheless.
      await forbid(resource, name, bucket, `${name}-${bucket}`);
    }
    return;
  }
  await permit(resource, name, bucket, {
    Principal: "s3.amazonaws.com",
    SourceArn: `arn:${resource.partition}:s3:::${bucket}`,
    SourceAccount: resource.account, // a bucket's ARN does not say whose it is
  });
  const wanted = configurations(resource, resource.properties);
  // S3 asks Lambda whether it may invoke the function, and the permission is seconds old.
  const until = Date.now() + timing.propagation;
  await resource.retry(() => replace(resource, bucket, wanted), unseen, until);
  const before = resource.old;
  if (before && before.FunctionName !== name) await forbid(resource, before.FunctionName, before.BucketName);
}

function unseen(error) {
  return error.name === "InvalidArgument" && /validate the following destination/i.test(error.message);
}

async function replace(resource, bucket, wanted, options = {}) {
  const found = await resource.call("s3", "GetBucketNotificationConfiguration", { Bucket: bucket });
  const functions = found.LambdaFunctionConfigurations || [];
  const mine = ownership(resource);
  const others = functions.filter((each) => !mine(each));
  if (wanted.length === 0 && others.length === functions.length) return;
  const whole = {};
  for (const kind of KINDS) if (found[kind]) whole[kind] = found[kind];
  whole.LambdaFunctionConfigurations = [...others, ...wanted];
  const input = { Bucket: bucket, NotificationConfiguration: whole, ...options };
  await resource.call("s3", "PutBucketNotificationConfiguration", input);
}

/** Ours go by their ids; those that Serverless Framework made for the same function, by what they say. */
function ownership(resource) {
  const functions = new Set();
  const said = new Set();
  for (const properties of [resource.properties, resource.old]) {
    if (!properties) continue;
    functions.add(resource.functionArn(properties.FunctionName));
    for (const each of configurations(resource, properties)) said.add(meaning(each));
  }
  const own = prefix(resource);
  return (each) => {
    if (!functions.has(each.LambdaFunctionArn)) return false;
    const id = each.Id || "";
    return id.startsWith(OURS) ? id.startsWith(own) : said.has(meaning(each));
  };
}

function prefix(resource) {
  const of = createHash("sha256").update(`${resource.stackId}\n${resource.logicalId}`);
  return `${OURS}${of.digest("hex").slice(0, 24)}-`;
}

function configurations(resource, properties) {
  return (properties.BucketConfigs || []).map(({ Event: event, Rules: rules }, index) => {
    const configuration = {
      Id: `${prefix(resource)}${index}`,
      LambdaFunctionArn: resource.functionArn(properties.FunctionName),
      Events: [event],
    };
    const filters = (rules || []).flatMap(Object.entries);
    if (filters.length) {
      const named = filters.map(([Name, Value]) => ({ Name: Name.toLowerCase(), Value }));
      configuration.Filter = { Key: { FilterRules: named } };
    }
    return configuration;
  });
}

function meaning(configuration) {
  const { Key: key } = configuration.Filter || {};
  const rules = ((key && key.FilterRules) || []).map(({ Name, Value }) => [Name.toLowerCase(), Value]);
  const target = configuration.LambdaFunctionArn;
  return JSON.stringify([target, [...configuration.Events].sort(), rules.map(String).sort()]);
}

exports.handler = customResource(work);
