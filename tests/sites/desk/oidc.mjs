// desk.test as a relying party of sso.test: authorization code flow with PKCE, the ID token checked
// as OpenID Connect Core section 3.1.3.7 says.
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import { request } from 'node:https';

const ISSUER = 'https://sso.test';
const MAX_WAITING = 1000;
const random = () => randomBytes(32).toString('base64url');

export class RelyingParty {
	#client;
	#dial;
	#waiting = new Map(); /* state → what this sign-in began with */

	/** dial: { port, ca } of the listener that answers for sso.test; read at each call. */
	constructor(client, dial) {
		this.#client = client;
		this.#dial = dial;
	}

	/** The address to send a browser to. It must come back with the same cookie. */
	begin(cookie, { popup, remembers }) {
		const one = { verifier: random(), nonce: random(), cookie, popup };
		const state = random();
		this.#waiting.set(state, one);
		if (this.#waiting.size > MAX_WAITING)
			this.#waiting.delete(this.#waiting.keys().next().value);
		return `${ISSUER}/auth?` + new URLSearchParams({
			client_id: this.#client.id, redirect_uri: this.#client.redirectUri,
			response_type: 'code', scope: 'openid email profile', state, nonce: one.nonce,
			code_challenge: createHash('sha256').update(one.verifier).digest('base64url'),
			code_challenge_method: 'S256', ...(remembers ? {} : { prompt: 'login' }) });
	}

	/** { claims, popup } of a finished sign-in; throws a sentence if it is not one. */
	async finish(query, cookie) {
		const one = this.#waiting.get(query.get('state'));
		this.#waiting.delete(query.get('state'));
		if (!one || one.cookie !== cookie)
			throw new Error('This sign-in was not begun here, or was used before.');
		if (query.get('error'))
			throw new Error(`The company sign-in said: ${query.get('error_description')}`);
		const tokens = await this.#fetch('POST', '/token', new URLSearchParams({
			grant_type: 'authorization_code', code: query.get('code') ?? '',
			redirect_uri: this.#client.redirectUri, code_verifier: one.verifier }).toString());
		return { claims: await this.#claims(tokens.id_token, one.nonce), popup: one.popup };
	}

	async #claims(token, nonce) {
		const [head, body, signature] = token.split('.');
		const header = JSON.parse(Buffer.from(head, 'base64url'));
		const claims = JSON.parse(Buffer.from(body, 'base64url'));
		const { keys } = await this.#fetch('GET', '/jwks');
		const jwk = keys.find((key) => key.kid === header.kid);
		const now_s = Date.now() / 1000;
		const good = jwk && header.alg === 'RS256' && claims.iss === ISSUER &&
			claims.aud === this.#client.id && claims.exp > now_s &&
			claims.nonce === nonce && verify('sha256', Buffer.from(`${head}.${body}`),
			createPublicKey({ key: jwk, format: 'jwk' }), Buffer.from(signature, 'base64url'));
		if (!good)
			throw new Error('The ID token of the company sign-in does not hold.');
		return claims;
	}

	#fetch(method, path, body) {
		const { port, ca } = this.#dial;
		const auth = `${this.#client.id}:${this.#client.secret}`;
		return new Promise((resolve, reject) => {
			const req = request({ host: '127.0.0.1', port, ca, method, path, auth, agent: false,
				servername: 'sso.test', headers: { host: 'sso.test', ...(body && {
					'content-type': 'application/x-www-form-urlencoded',
					'content-length': Buffer.byteLength(body) }) } });
			req.on('error', reject);
			req.on('response', async (res) => {
				let text = '';
				for await (const chunk of res.setEncoding('utf8'))
					text += chunk;
				if (res.statusCode === 200)
					resolve(JSON.parse(text));
				else
					reject(new Error(`sso.test: ${path} answered ${res.statusCode}: ${text}`));
			});
			req.end(body);
		});
	}
}
