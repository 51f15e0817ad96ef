// SPDX-License-Identifier: Apache-2.0
// oauth2-mock-server, the published stand-in for an identity provider, over HTTPS.
//   node issuer.mjs MODULE PORT KEY CERTIFICATE
// POST /token with any member of the form named claims (JSON) signs a token with those claims.
const [module, port, key, certificate] = process.argv.slice(2);
const { OAuth2Server } = await import(module);
const server = new OAuth2Server(key, certificate);
await server.issuer.keys.generate("RS256");
server.service.on("beforeTokenSigning", (token, request) => {
  Object.assign(token.payload, JSON.parse(request.body.claims ?? "{}"));
});
await server.start(Number(port), "127.0.0.1");
server.issuer.url = `https://127.0.0.1:${port}`;
