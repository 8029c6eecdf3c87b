// What authorization servers do that the certified one does not. Loaded before it (`node --import`), so that the exchange
// behind it stays real. A double of such servers, no more: it shows that these answers are taken, not that they are sent.
//
//   POST /test/quirks {"metadata": "rfc8414", "answers": "text" | "form", "busy": N, "away": MS, "over": N}
//
//   metadata  says what it is as an OAuth server alone (RFC 8414), not as an OpenID provider
//   answers   token answers with numbers as text, scopes as a list and no token type; or as a form
//   busy      answers the next N token requests with 503, without doing anything
//   away      the same for so many milliseconds from the first token request on, and says when to come again (Retry-After)
//   over      says of the next N tokens a mail server asks about that they are over, although they are not
import http from 'node:http';

const quirks = {};
const WELL_KNOWN = '/.well-known/';

function altered(body, how) {
  const { token_type: _, scope, expires_in: expires, ...rest } = JSON.parse(body);
  if (rest.error) return body;
  if (how === 'form') return new URLSearchParams({ ...rest, scope, expires_in: String(expires) }).toString();
  return JSON.stringify({ ...rest, scope: scope?.split(' '), expires_in: String(expires) });
}

async function set(req, res) {
  let body = '';
  for await (const chunk of req) body += chunk;
  for (const name of Object.keys(quirks)) delete quirks[name];
  Object.assign(quirks, JSON.parse(body));
  res.writeHead(204).end();
}

const { emit } = http.Server.prototype;
http.Server.prototype.emit = function (event, req, res, ...rest) {
  if (event !== 'request') return emit.call(this, event, req, res, ...rest);
  if (req.method === 'POST' && req.url === '/test/quirks') return void set(req, res);
  if (quirks.metadata === 'rfc8414' && req.url.startsWith(WELL_KNOWN)) {
    if (!req.url.startsWith(`${WELL_KNOWN}oauth-authorization-server`)) return void res.writeHead(404).end();
    req.url = `${WELL_KNOWN}openid-configuration`;
  }
  if (req.url === '/token/introspection' && quirks.over > 0) {
    quirks.over -= 1;
    const end = res.end.bind(res);
    res.end = (body, ...more) => {
      // A name, as `op.mjs` gives one with tokens that are over.
      const text = JSON.stringify({ active: false, username: 'nobody' });
      res.setHeader('content-length', Buffer.byteLength(text));
      return end(text, ...more);
    };
  }
  if (req.url === '/token' && quirks.away) {
    quirks.back ??= Date.now() + quirks.away;
    if (Date.now() < quirks.back) {
      return void res.writeHead(503, { 'retry-after': String(Math.ceil(quirks.away / 1000)) }).end();
    }
  }
  if (req.url === '/token') {
    if (quirks.busy > 0) {
      quirks.busy -= 1;
      return void res.writeHead(503, { 'content-type': 'text/html' }).end('<html>Service Unavailable</html>');
    }
    if (quirks.answers) {
      const end = res.end.bind(res);
      res.end = (body, ...more) => {
        const text = altered(String(body), quirks.answers);
        res.setHeader('content-length', Buffer.byteLength(text));
        return end(text, ...more);
      };
    }
  }
  return emit.call(this, event, req, res, ...rest);
};
