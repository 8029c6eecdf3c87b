// An OAuth authorization server for tests: the certified oidc-provider with in-memory storage,
// on loopback only, whose person signs in and consents without a screen.
//
//   node op.mjs [PORT]          prints "READY http://127.0.0.1:PORT" once it listens
//
// OP_AT_TTL, OP_RT_TTL   lifetime of access and refresh tokens, seconds (300, 86400)
// OP_ACCOUNT             who signs in when the request has no login_hint (me@bailey.test)
// OP_UNTICK              scopes the person unticks, space separated; "*" refuses everything.
//                        The authorization request parameter `untick` goes before it.
// OP_INTROSPECT_SECRET   secret of the client "dovecot", which may only introspect
//
// For tests, beyond what the standards say:
//   POST /test/token-fault {"mode": "drop" | "delay", "ms": N}   the next /token request only
//   POST /test/revoked             answers with how many grants were ended by revocation requests so far
//   POST /test/issued              answers with every token issued so far, one on each line
//   POST /test/remove-access {"account": "..."}   the person removes the app at the provider
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import Provider from 'oidc-provider';

const env = process.env;
const seconds = (name, otherwise) => Number(env[name] ?? otherwise);
const SCOPES = ['openid', 'offline_access', 'mail.read', 'mail.draft', 'mail.send', 'mail.full'];
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

const server = createServer();
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1');
await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    { // The program under test: public, native, so any port of the loopback address is allowed.
      client_id: 'bailey',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token', DEVICE],
      response_types: ['code'],
      redirect_uris: ['http://127.0.0.1/oauth/callback'],
    },
    { // The same program under a name, and with a secret, that a person registered for it.
      client_id: 'my-own-client',
      client_secret: 'my-own-secret',
      application_type: 'native',
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: ['http://127.0.0.1/oauth/callback'],
    },
    // The same at the dashboard's own name, where a test has one.
    ...(env.OP_BACK ? [{
      client_id: 'at-the-dashboard',
      application_type: 'web',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: [env.OP_BACK],
    }] : []),
    { // The mail server: may only introspect.
      client_id: 'dovecot',
      client_secret: env.OP_INTROSPECT_SECRET ?? 'introspect-secret',
      grant_types: [],
      response_types: [],
      redirect_uris: [],
    },
  ],
  scopes: SCOPES,
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: (ctx, client, source) => source.scopes.has('offline_access'),
  expiresWithSession: () => false,
  extraParams: ['untick'],
  extraTokenClaims: (ctx, token) => ({
    username: token.accountId,
    imap: ['mail.read', 'mail.draft', 'mail.full'].some((scope) => token.scopes.has(scope)),
    submission: ['mail.send', 'mail.full'].some((scope) => token.scopes.has(scope)),
  }),
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  features: {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    revocation: { enabled: true, allowedPolicy: (ctx, client, token) => client.clientId === token.clientId },
    introspection: {
      enabled: true,
      allowedPolicy: (ctx, client, token) => client.clientId === token.clientId
        || (client.clientId === 'dovecot' && token.kind === 'AccessToken'),
    },
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  ttl: {
    AccessToken: seconds('OP_AT_TTL', 300),
    RefreshToken: seconds('OP_RT_TTL', 86400),
    AuthorizationCode: 60, DeviceCode: 600, Grant: 86400, IdToken: 300, Interaction: 600, Session: 86400,
  },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  // No `jwks`: ID tokens are signed with the library's public development key, and nobody relies on them.
});
// Dovecot 2.3.19 calls a refused token a *temporary* failure unless the answer names somebody.
provider.use(async (ctx, next) => {
  await next();
  if (ctx.oidc?.client?.clientId === 'dovecot' && ctx.body?.active === false) ctx.body.username = 'nobody';
});
provider.on('server_error', (ctx, error) => console.error(error));
let revoked = 0; // grants whose tokens were ended by a revocation request
provider.on('grant.revoked', () => { revoked += 1; });
const issued = [];
provider.on('grant.success', (ctx) => issued.push(...[ctx.body?.access_token, ctx.body?.refresh_token].filter(Boolean)));

const grantsOf = new Map(); // account -> ids of its grants
let tokenFault;

// The person signs in and consents at once, leaving some boxes unticked when told so.
async function interact(req, res) {
  const { params, grantId } = await provider.interactionDetails(req, res);
  const accountId = params.login_hint ?? env.OP_ACCOUNT ?? 'me@bailey.test';
  const unticked = (params.untick ?? env.OP_UNTICK ?? '').split(' ');
  const asked = (params.scope ?? '').split(' ').filter(Boolean);
  const kept = asked.filter((scope) => !unticked.includes(scope));
  if (unticked.includes('*') || kept.length === 0) {
    return provider.interactionFinished(req, res, { error: 'access_denied', error_description: 'the person said no' });
  }
  const grant = (grantId && await provider.Grant.find(grantId)) || new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(kept.join(' '));
  grant.rejectOIDCScope(asked.filter((scope) => unticked.includes(scope)).join(' '));
  const id = await grant.save();
  grantsOf.set(accountId, (grantsOf.get(accountId) ?? new Set()).add(id));
  return provider.interactionFinished(req, res, { login: { accountId, remember: false }, consent: { grantId: id } });
}

async function forTests(req, res) {
  let body = '';
  for await (const chunk of req) body += chunk;
  const given = JSON.parse(body || '{}');
  if (req.url === '/test/revoked') return res.writeHead(200, { 'content-length': String(revoked).length }).end(String(revoked));
  if (req.url === '/test/issued') {
    const all = issued.join('\n');
    return res.writeHead(200, { 'content-length': String(all.length) }).end(all);
  }
  if (req.url === '/test/token-fault') tokenFault = given;
  if (req.url === '/test/remove-access') {
    for (const id of grantsOf.get(given.account) ?? []) await (await provider.Grant.find(id))?.destroy();
  }
  res.writeHead(204).end();
}

const standard = provider.callback();
server.on('request', async (req, res) => {
  try {
    if (req.url.startsWith('/interaction/')) return await interact(req, res);
    if (req.method === 'POST' && req.url.startsWith('/test/')) return await forTests(req, res);
    // Every sign-in is a new person at a new browser: no session is carried over between accounts.
    if (req.url.startsWith('/auth')) req.headers.cookie = req.headers.cookie?.replace(/\b_session[^;]*(; )?/g, '');
    if (req.url === '/token' && tokenFault) {
      const fault = tokenFault;
      tokenFault = undefined;
      // The work is done, but its answer is lost or late.
      const end = res.end.bind(res);
      res.end = (...args) => (fault.mode === 'drop' ? req.socket.destroy() : sleep(fault.ms).then(() => end(...args)));
    }
    return await standard(req, res);
  } catch (error) {
    console.error(error);
    return res.headersSent ? res.destroy() : res.writeHead(500).end(String(error));
  }
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
console.log(`READY ${issuer}`);
