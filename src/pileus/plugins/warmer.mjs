// A warmer, written by Pileus for custom.warmup of serverless.yml: invokes each function as often as it is told.
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";

const warmer = /*WARMER*/ null;
const lambda = new LambdaClient({ region: warmer.region, requestHandler: { connectionTimeout: 1000 } });
const say = (text) => warmer.verbose && console.log(text);

function times({ name, concurrency }) {
  const own = process.env[`WARMUP_CONCURRENCY_${name.toUpperCase().replaceAll("-", "_")}`];
  return Number.parseInt(own || process.env.WARMUP_CONCURRENCY || concurrency, 10);
}

async function warm(target) {
  const count = times(target);
  const request = { FunctionName: target.name, Payload: target.payload, InvocationType: "RequestResponse" };
  const alias = target.alias || process.env.SERVERLESS_ALIAS;
  if (alias) request.Qualifier = alias;
  if (target.context) {
    request.ClientContext = Buffer.from(`{"custom":${target.context}}`).toString("base64");
  }
  try {
    await Promise.all(Array.from({ length: count }, () => lambda.send(new InvokeCommand(request))));
    say(`${target.name}: ${count} warm`);
    return 0;
  } catch (error) {
    console.error(`${target.name} could not be warmed:`, error);
    return 1;
  }
}

export async function warmUp() {
  const failed = (await Promise.all(warmer.functions.map(warm))).reduce((sum, each) => sum + each, 0);
  say(`${warmer.functions.length - failed} of ${warmer.functions.length} functions are warm`);
}
