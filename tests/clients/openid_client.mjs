// A relying party of openid-client (npm), driven by lines: what it needs of a browser goes out, what came back comes in.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [, , folder, settings] = process.argv;
const client = await import(pathToFileURL(`${folder}/openid-client/build/index.js`));
const said = JSON.parse(settings);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const tell = (event, more = {}) => console.log(JSON.stringify({ event, ...more }));
const heard = async () => (await lines.next()).value;

// Its path differs from the standard one: the document's own address is given, as software of the field does.
const config = await client.discovery(new URL(said.discovery), said.client_id, said.client_secret);

const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: said.redirect_uri,
  scope: "openid scope_all",
  acr_values: "eidas1",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
tell("authorize", { url: url.href });
const tokens = await client.authorizationCodeGrant(config, new URL(await heard()), {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
});
const claims = tokens.claims();
const user = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
tell("user", { id: user.SubjectNameID, acr: claims.acr, expires: tokens.expires_in });
const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
const looked = await client.tokenIntrospection(config, renewed.access_token);
tell("refreshed", { active: looked.active, changed: renewed.access_token !== tokens.access_token });
tell("logout", {
  url: client.buildEndSessionUrl(config, {
    id_token_hint: renewed.id_token,
    post_logout_redirect_uri: said.post_logout_redirect_uri,
    state: "fin",
  }).href,
});
await heard();
const asked = await client.initiateBackchannelAuthentication(config, {
  scope: "openid scope_all",
  acr_values: "eidas1",
  login_hint: said.user,
  binding_message: "33",
  channel: "MOBILE",
});
tell("ciba", { expires: asked.expires_in, interval: asked.interval });
const approved = await client.pollBackchannelAuthenticationGrant(config, asked);
const who = await client.fetchUserInfo(config, approved.access_token, client.skipSubjectCheck);
tell("approved", { id: who.SubjectNameID, mode: who.authMode });
process.exit(0);
