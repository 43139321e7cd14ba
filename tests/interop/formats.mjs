// Issues, derives and verifies with Digital Bazaar's suites (npm @digitalbazaar/vc and its cryptosuites) and signs and verifies
// JOSE with npm jose: what a job asks for, each job by itself.
//
// stdin:  {"documents": {address: document}, "jobs": [job, ...]}; contexts are among the documents. Nothing is fetched.
//   {"do": "issue", "suite", "curve"?, "credential", "mandatoryPointers"?}  signs with a new key; the issuer becomes its did:key
//   {"do": "derive", "credential", "selectivePointers"}                     ecdsa-sd-2023: from a base proof
//   {"do": "verify", "suite", "credential"}
//   {"do": "sign jws", "alg", "header", "payload"}                          with a new key; "did:key" in payload.issuer is replaced
//   {"do": "verify jws", "jws", "jwk", "algorithms", "typ"}
// stdout: one JSON line per job, in order: {"credential"}, {"verified": true} or {"jws", "jwk", "payload"}; what was thrown: {"error"}

import { text } from 'node:stream/consumers';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import { createSignCryptosuite as signSd, createDiscloseCryptosuite as discloseSd,
  createVerifyCryptosuite as verifySd } from '@digitalbazaar/ecdsa-sd-2023-cryptosuite';
import * as ecdsaJcs from '@digitalbazaar/ecdsa-jcs-2019-cryptosuite';
import { cryptosuite as ecdsaRdfc } from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import { Ed25519Signature2020 } from '@digitalbazaar/ed25519-signature-2020';
import { Ed25519VerificationKey2020 } from '@digitalbazaar/ed25519-verification-key-2020';
import * as eddsaJcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import { cryptosuite as eddsaRdfc } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import * as jose from 'jose';

const { documents, jobs } = JSON.parse(await text(process.stdin));
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
console.log = console.error;

// Data Integrity suites: which key they take, what signs and what verifies with them.
const SUITES = {
  'eddsa-rdfc-2022': { key: edKey, sign: () => eddsaRdfc, verify: () => eddsaRdfc },
  'eddsa-jcs-2022': { key: edKey, sign: eddsaJcs.createSignCryptosuite, verify: eddsaJcs.createVerifyCryptosuite },
  'ecdsa-rdfc-2019': { key: ecKey, sign: () => ecdsaRdfc, verify: () => ecdsaRdfc },
  'ecdsa-jcs-2019': { key: ecKey, sign: ecdsaJcs.createSignCryptosuite, verify: ecdsaJcs.createVerifyCryptosuite },
  'ecdsa-sd-2023': { key: ecKey, sign: ({ mandatoryPointers }) => signSd({ mandatoryPointers }), verify: () => verifySd() },
};

async function named(key) {
  const controller = `did:key:${key.publicKeyMultibase}`;
  return { key, controller, id: `${controller}#${key.publicKeyMultibase}` };
}
async function edKey() { return named(await Ed25519Multikey.generate()); }
async function ecKey(curve = 'P-256') { return named(await EcdsaMultikey.generate({ curve })); }

async function load(url) {
  if (url in documents) return { contextUrl: null, documentUrl: url, document: documents[url], tag: 'static' };
  if (url.startsWith('did:key:')) return { contextUrl: null, documentUrl: url, document: didKey(url), tag: 'static' };
  throw new Error(`not known to the tests: ${url}`);
}

function didKey(url) {
  const [controller] = url.split('#');
  const multibase = controller.slice('did:key:'.length);
  const id = `${controller}#${multibase}`;
  const multikey = { '@context': 'https://w3id.org/security/multikey/v1', id, type: 'Multikey', controller, publicKeyMultibase: multibase };
  const old = { ...multikey, '@context': 'https://w3id.org/security/suites/ed25519-2020/v1', type: 'Ed25519VerificationKey2020' };
  const method = suiteOfJob === 'Ed25519Signature2020' ? old : multikey;
  if (url.includes('#')) return method;
  return { '@context': ['https://www.w3.org/ns/did/v1'], id: controller, verificationMethod: [method], assertionMethod: [id], authentication: [id] };
}

let suiteOfJob = null;

async function issue({ suite, curve, credential, mandatoryPointers = [] }) {
  if (suite === 'Ed25519Signature2020') {
    const key = await Ed25519VerificationKey2020.generate();
    key.controller = `did:key:${key.publicKeyMultibase}`;
    key.id = `${key.controller}#${key.publicKeyMultibase}`;
    return { credential: await vc.issue({ credential: by(credential, key.controller), suite: new Ed25519Signature2020({ key }), documentLoader: load }) };
  }
  const { key, sign } = SUITES[suite];
  const made = await key(curve);
  const signer = { ...made.key.signer(), id: made.id };
  const proof = new DataIntegrityProof({ signer, cryptosuite: sign({ mandatoryPointers }) });
  return { credential: await vc.issue({ credential: by(credential, made.controller), suite: proof, documentLoader: load }) };
}

function by(credential, did) {
  const issuer = typeof credential.issuer === 'object' ? { ...credential.issuer, id: did } : did;
  return { ...credential, issuer };
}

async function derive({ credential, selectivePointers }) {
  const suite = new DataIntegrityProof({ cryptosuite: discloseSd({ selectivePointers }) });
  return { credential: await vc.derive({ verifiableCredential: credential, suite, documentLoader: load }) };
}

async function verify({ suite, credential }) {
  const checker = suite === 'Ed25519Signature2020'
    ? new Ed25519Signature2020() : new DataIntegrityProof({ cryptosuite: SUITES[suite].verify() });
  const answer = await vc.verifyCredential({ credential, suite: checker, documentLoader: load, checkStatus: async () => ({ verified: true }) });
  if (answer.verified) return { verified: true };
  throw deepest(answer.error);
}

const deepest = (error) => error?.errors?.[0] ? deepest(error.errors[0]) : error?.cause ? deepest(error.cause) : error;

async function signJws({ alg, header, payload }) {
  const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true, ...(alg === 'EdDSA' && { crv: 'Ed25519' }) });
  const jwk = await jose.exportJWK(publicKey);
  const did = `did:jwk:${Buffer.from(JSON.stringify(jwk)).toString('base64url')}`;
  const text_ = JSON.stringify(payload).replaceAll('did:key', did);
  const full = JSON.parse(JSON.stringify({ alg, ...header }).replaceAll('did:key', `${did}#0`));
  if (full.jwk === true) full.jwk = jwk;
  const jws = await new jose.CompactSign(new TextEncoder().encode(text_)).setProtectedHeader(full).sign(privateKey);
  return { jws, jwk };
}

async function verifyJws({ jws, jwk, algorithms, typ }) {
  const key = await jose.importJWK(jwk, algorithms[0]);
  const { payload, protectedHeader } = await jose.compactVerify(jws, key, { algorithms });
  if (typ && protectedHeader.typ !== typ) throw new Error(`typ is ${protectedHeader.typ}`);
  return { verified: true, payload: JSON.parse(new TextDecoder().decode(payload)) };
}

const VERBS = { issue, derive, verify, 'sign jws': signJws, 'verify jws': verifyJws };

for (const job of jobs) {
  suiteOfJob = job.suite ?? null;
  try {
    say(await VERBS[job.do](job));
  } catch (error) {
    say({ error: `${error?.name}: ${error?.message}` });
  }
}
