// A certified OpenID provider (panva/oidc-provider) with one client and its development login pages.
// Arguments: port, certificate file, key file, redirect URI, client id, client secret. Tells "ready" on standard output.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { Provider } from "oidc-provider";

const [port, cert, key, redirectUri, clientId, clientSecret] = process.argv.slice(2);
const provider = new Provider(`https://localhost:${port}`, {
  clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
  // The login name is the subject and the local part of an address that is verified for "ada" alone.
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@schools.example.org`, email_verified: id.startsWith("ada") }),
  }),
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  features: { claimsParameter: { enabled: true } },
  pkce: { required: () => true },
  cookies: { keys: ["of one test run"] },
});
createServer({ cert: readFileSync(cert), key: readFileSync(key) }, provider.callback()).listen(Number(port), "127.0.0.1", () =>
  console.log("ready"),
);
