"use strict";
// A rule of EventBridge with one target, and its bus when there is none of that name yet.

const { createHash } = require("crypto");
const { customResource, timing, unlessMissing } = require("../custom-resource");
const { permit, forbid } = require("../permissions");

// At the end of a physical id: the bus came with this rule, and goes with it.
const WITH_BUS = "+bus";
const PARTNER = "aws.partner/";

async function work(resource) {
  const config = resource.properties.EventBridgeConfig;
  hide(resource, config);
  if (resource.old) hide(resource, resource.old.EventBridgeConfig);
  if (resource.requestType === "Delete") await remove(resource, config);
  else await put(resource, config);
}

function hide(resource, { Input: input, InputTransformer: transformer }) {
  resource.hide(typeof input === "string" ? input : input && JSON.stringify(input));
  if (input && typeof input === "object") strings(input).forEach((each) => resource.hide(each));
  resource.hide(transformer && transformer.InputTemplate);
}

function strings(value) {
  if (typeof value === "string") return [value];
  return value && typeof value === "object" ? Object.values(value).flatMap(strings) : [];
}

async function put(resource, config) {
  const name = resource.properties.FunctionName;
  const made = await makeBus(resource, config.EventBus);
  const before = resource.old && key(resource.old.EventBridgeConfig);
  resource.identify(key(config), before, made ? WITH_BUS : "");
  const bus = config.EventBus ? { EventBusName: config.EventBus } : {};
  const rule = await resource.call("eventbridge", "PutRule", {
    ...bus,
    Name: config.RuleName,
    EventPattern: config.Pattern && JSON.stringify(withTypes(config.Pattern)),
    ScheduleExpression: config.Schedule,
    State: config.State,
  });
  const grant = { Principal: "events.amazonaws.com", SourceArn: rule.RuleArn };
  await permit(resource, name, key(config), grant);
  await targets(resource, "PutTargets", {
    ...bus,
    Rule: config.RuleName,
    Targets: [{ Id: targetId(resource), Arn: resource.functionArn(name), ...inputOf(config) }],
  });
  if (resource.isFormer && before === key(config)) {
    await targets(resource, "RemoveTargets", { ...bus, Rule: config.RuleName, Ids: [formerTarget(config)] });
  }
  if (resource.old && resource.old.FunctionName !== name && before === key(config)) {
    await forbid(resource, resource.old.FunctionName, before);
  }
}

function inputOf({ Input: input, InputPath: path, InputTransformer: transformer }) {
  if (input) return { Input: typeof input === "string" ? input : JSON.stringify(input) };
  if (path) return { InputPath: path };
  return transformer ? { InputTransformer: transformer } : {};
}

async function remove(resource, config) {
  const bus = config.EventBus ? { EventBusName: config.EventBus } : {};
  const rule = { ...bus, Rule: config.RuleName };
  const ids = [targetId(resource), ...(resource.isFormer ? [formerTarget(config)] : [])];
  const removed = targets(resource, "RemoveTargets", { ...rule, Ids: ids });
  await unlessMissing(removed, "ResourceNotFoundException");
  try {
    const gone = resource.call("eventbridge", "DeleteRule", { ...bus, Name: config.RuleName });
    await unlessMissing(gone, "ResourceNotFoundException");
  } catch (error) {
    if (!/has targets/i.test(error.message)) throw error;
    resource.log("the rule stays: it has other targets");
  }
  const name = resource.properties.FunctionName;
  await forbid(resource, name, key(config), `${name}-${config.RuleName}`);
  if (resource.physicalId.endsWith(WITH_BUS)) await removeBus(resource, config.EventBus);
}

/** Whether a bus was made, which is then ours to delete. */
async function makeBus(resource, bus) {
  if (!bus || bus === "default" || bus.startsWith("arn:")) return false;
  const source = bus.startsWith(PARTNER) ? { EventSourceName: bus } : {};
  const input = { Name: bus, ...source };
  const made = resource.call("eventbridge", "CreateEventBus", input);
  return (await unlessMissing(made, "ResourceAlreadyExistsException")) !== undefined;
}

/** Other rules may be on the bus: those of this stack are going at the same moment, those of others stay, with it. */
async function removeBus(resource, bus) {
  const until = Date.now() + timing.lastRule;
  const gone = () => resource.call("eventbridge", "DeleteEventBus", { Name: bus });
  try {
    await resource.retry(() => unlessMissing(gone(), "ResourceNotFoundException"), () => true, until);
  } catch (error) {
    resource.checkTime();
    resource.log(`the event bus stays: ${resource.tell(error)}`);
  }
}

async function targets(resource, operation, input) {
  const result = await resource.call("eventbridge", operation, input);
  const [failed] = (result && result.FailedEntries) || [];
  if (failed && failed.ErrorCode !== "ResourceNotFoundException") {
    throw Object.assign(new Error(failed.ErrorMessage), { name: failed.ErrorCode });
  }
}

function key({ EventBus: bus, RuleName: rule }) {
  return `${(bus || "default").split(":event-bus/").pop()}/${rule}`;
}

function targetId(resource) {
  const of = createHash("sha256").update(`${resource.stackId}\n${resource.logicalId}`);
  return `pileus-${of.digest("hex").slice(0, 40)}`;
}

function formerTarget(config) {
  return `${config.RuleName}-target`;
}

/** CloudFormation hands numbers and booleans over as text; where a pattern can only mean those, they are put back. */
function withTypes(pattern) {
  if (Array.isArray(pattern)) return pattern.map((each) => matcher(each));
  if (!pattern || typeof pattern !== "object") return pattern;
  return Object.fromEntries(Object.entries(pattern).map(([name, value]) => [name, withTypes(value)]));
}

function matcher(each) {
  if (!each || typeof each !== "object" || Array.isArray(each)) return each;
  const { numeric, exists } = each;
  if (Array.isArray(numeric)) {
    return { ...each, numeric: numeric.map((part, index) => (index % 2 ? Number(part) : part)) };
  }
  if (exists === "true" || exists === "false") return { ...each, exists: exists === "true" };
  return withTypes(each);
}

exports.handler = customResource(work);
