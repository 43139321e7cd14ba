// Runs npm @digitalcredentials/verifier-core, the engine of VerifierPlus and of the Learner Credential Wallet, on credentials.
//
// stdin:  {"credentials": [credential, ...], "schema": JSON Schema of an OB 3.0 AchievementCredential, or null,
//          "documents": {address: document}: what is answered without the network}
// stdout: one JSON line per credential, in order:
//   id       the credential's id
//   log      [{id, valid?, error?}]: verifier-core's own steps and names. A step that could not be carried out has an error and no valid
//   schema   [{address, valid, errors?}]; verifier-core's own word where it had no result ("NO_SCHEMA", "INVALID_SCHEMA - …");
//            null when it was not asked, that is when no schema came on stdin
//   fatal    [{name, message, details?}], only when verifier-core gave up; log is then empty
//   refused  the outside addresses verifier-core asked for and did not get
//
// Status lists and DID documents on this machine are fetched for real; for https, name the CA in NODE_EXTRA_CA_CERTS. The OB 3.0
// schema is answered from stdin; every other address is refused, so a run never depends on somebody else's server.

import { text } from 'node:stream/consumers';

const ACHIEVEMENT_SCHEMA = 'https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json';
const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

const { credentials, schema, documents } = JSON.parse(await text(process.stdin));
const fetchForReal = globalThis.fetch;
let refused = [];

// verifier-core reaches the network through the global fetch only (its HTTP client, ky, wraps it), which is why replacing it before
// the import below is enough. A refusal is a 403 and not a thrown error: ky waits and tries thrown errors again.
globalThis.fetch = async (input, init) => {
  const address = typeof input === 'object' && 'url' in input ? input.url : String(input);
  if (LOOPBACK.has(new URL(address).hostname)) return fetchForReal(input, init);
  if (address in documents) return Response.json(documents[address]);
  if (address === ACHIEVEMENT_SCHEMA) return Response.json(schema ?? true);
  refused.push(address);
  return new Response('not reachable from the tests', { status: 403, statusText: 'Refused by verify.mjs' });
};
console.log = console.error; // verifier-core tells of schema problems on the console; stdout is for results

const { verifyCredential } = await import('@digitalcredentials/verifier-core');

const step = ({ id, valid, error }) => ({ id, valid, error: error && { name: error.name, message: error.message } });

const schemaResults = (information) => {
  const results = information?.find(({ id }) => id === 'schema_check')?.results;
  if (!Array.isArray(results)) return results ?? null;
  return results.map(({ schema: address, result }) => ({ address, valid: result.valid, errors: result.errors }));
};

for (const credential of credentials) {
  refused = [];
  const answer = await verifyCredential({ credential, knownDIDRegistries: [] });
  const result = {
    id: credential.id ?? null,
    log: (answer.log ?? []).map(step),
    schema: schema === null ? null : schemaResults(answer.additionalInformation),
    fatal: answer.errors?.map(({ name, message, details }) => ({ name, message, details })),
    refused,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
