// Makes calls with the core of the official SDK for Node.js: its credentials, its signer, its HTTP client and
// its exceptions. The lists of operations that are generated on top of it are not published as a package, so
// each call is given as they give it to the core.
// Arguments: the package.json beside which the core is installed; a file with {endpoint, credentials, region,
// calls}; a file for the answers, each {status, data} or {exception, status, code, message, requestId}. The core
// logs what is refused on the standard output.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";

const require = createRequire(process.argv[2]);
const { BasicCredentials } = require("@huaweicloud/huaweicloud-sdk-core");
const { ClientBuilder } = require("@huaweicloud/huaweicloud-sdk-core/ClientBuilder");

function clientOf({ endpoint, credentials, region }) {
  const who = new BasicCredentials().withAk(credentials.access_key).withSk(credentials.secret_key);
  const builder = new ClientBuilder((client) => client).withCredential(who);
  if (credentials.project_id) who.withProjectId(credentials.project_id);
  if (!region) return builder.withEndpoint(endpoint).build();
  // The project is looked up by the name of the region.
  who.withIamEndpoint(endpoint);
  return builder.withRegion({ id: region, endpoints: [endpoint] }).build();
}

async function told(client, call) {
  try {
    const { httpStatusCode: status, ...data } = await client.sendRequest(call);
    return { status, data };
  } catch (fault) {
    const { httpStatusCode: status, errorCode: code, errorMsg: message, requestId } = fault;
    return { exception: fault.constructor.name, status, code, message, requestId };
  }
}

const [, , , from, to] = process.argv;
const order = JSON.parse(readFileSync(from));
const client = clientOf(order);
const answers = [];
for (const call of order.calls) answers.push(await told(client, call));
writeFileSync(to, JSON.stringify(answers));
