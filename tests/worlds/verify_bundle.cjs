// Ask sigstore's own JavaScript verifier about a bundle: node verify_bundle.cjs MODULES BUNDLE PUBLIC_KEY
const { createPublicKey } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");

const [modules, bundleFile, keyFile] = process.argv.slice(2);
const load = createRequire(`${modules}/`);
const { bundleFromJSON } = load("@sigstore/bundle");
const { Verifier, toSignedEntity, toTrustMaterial } = load("@sigstore/verify");

const publicKey = createPublicKey(readFileSync(keyFile));
const nobody = { tlogs: [], ctlogs: [], certificateAuthorities: [], timestampAuthorities: [] };
const trust = toTrustMaterial(nobody, () => ({ publicKey, validFor: () => true }));
const verifier = new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
const bundle = bundleFromJSON(JSON.parse(readFileSync(bundleFile)));
verifier.verify(toSignedEntity(bundle));
console.log(bundle.content.dsseEnvelope.payload.toString());
