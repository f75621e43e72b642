// sso.test: the company's sign-in, a real OpenID provider (authorization code flow with PKCE) with
// pages of its own: user name and password, then a one-time code.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider from 'oidc-provider';
import { accountByLogin } from './accounts.mjs';
import { bodyOf, page, redirect, send, sendStatic } from './http.mjs';
import { totpVerify } from './totp.mjs';

const PAGES = new URL('sso/', import.meta.url);
const INTERACTION = /^\/interaction\/([\w-]+)(?:\/(password|code))?$/;

/** What the provider remembers; its own memory adapter cannot be searched for an account. */
function memoryAdapter(rows) {
	const find = (model, test) =>
		[...rows].find(([key, row]) => key.startsWith(`${model}:`) && test(row))?.[1];

	return class {
		constructor(model) { this.model = model; }
		key(id) { return `${this.model}:${id}`; }
		async upsert(id, payload) { rows.set(this.key(id), payload); }
		async find(id) { return rows.get(this.key(id)); }
		async findByUid(uid) { return find(this.model, (row) => row.uid === uid); }
		async findByUserCode(code) { return find(this.model, (row) => row.userCode === code); }
		async consume(id) { rows.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }
		async destroy(id) { rows.delete(this.key(id)); }
		async revokeByGrantId(grantId) {
			for (const [key, row] of rows) {
				if (row.grantId === grantId)
					rows.delete(key);
			}
		}
	};
}

function signingKey() {
	const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
	return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'sso-1' };
}

function configuration(rows, client) {
	return {
		adapter: memoryAdapter(rows),
		clients: [{ client_id: client.id, client_secret: client.secret,
			redirect_uris: [client.redirectUri], response_types: ['code'],
			grant_types: ['authorization_code'] }],
		jwks: { keys: [signingKey()] },
		cookies: { keys: [randomBytes(32).toString('hex')] },
		claims: { openid: ['sub'], email: ['email'], profile: ['name'] },
		conformIdTokenClaims: false, /* the site reads the e-mail address from the ID token */
		features: { devInteractions: { enabled: false } },
		pkce: { required: () => true },
		ttl: { Session: 86_400, Grant: 86_400, Interaction: 3600, AccessToken: 600, IdToken: 600,
			AuthorizationCode: 60 },
		interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
		findAccount: (ctx, login) => {
			const account = accountByLogin(login);
			return account && { accountId: account.login, claims: () =>
				({ sub: account.login, email: account.email, name: account.name }) };
		},
		loadExistingGrant: consentOnceForAll,
	};
}

/** The company's own site needs nobody's consent. */
async function consentOnceForAll({ oidc }) {
	const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId,
		accountId: oidc.session.accountId });
	grant.addOIDCScope('openid email profile');
	await grant.save();
	return grant;
}

export class CompanySso {
	#rows = new Map();
	#passed = new Map(); /* interaction → account whose password was right */
	#provider;
	#callback;
	#truth;

	constructor(client, truth) {
		this.#truth = truth;
		this.#provider = new Provider('https://sso.test', configuration(this.#rows, client));
		this.#provider.on('server_error', (ctx, error) => console.error('sso.test:', error));
		this.#callback = this.#provider.callback();
	}

	async handle(req, res, url) {
		const [, uid, step] = INTERACTION.exec(url.pathname) ?? [];
		if (sendStatic(res, url.pathname, PAGES))
			return;
		if (!uid)
			await this.#callback(req, res);
		else
			await this.#interaction(req, res, uid, step);
	}

	async #interaction(req, res, uid, step) {
		try {
			await this.#provider.interactionDetails(req, res);
		} catch {
			send(res, 400, 'html', page(new URL('gone.html', PAGES)));
			return;
		}
		if (req.method === 'GET')
			this.#show(res, uid);
		else if (step === 'password')
			await this.#checkPassword(req, res, uid);
		else
			await this.#checkCode(req, res, uid);
	}

	#show(res, uid, error = '', login = '') {
		const account = this.#passed.get(uid);
		const name = account ? 'code.html' : 'password.html';
		send(res, 200, 'html',
			page(new URL(name, PAGES), { uid, error, login: account?.login ?? login }));
	}

	async #checkPassword(req, res, uid) {
		const form = new URLSearchParams(await bodyOf(req));
		const account = accountByLogin(form.get('username'));
		if (account && account.password === form.get('password')) {
			this.#passed.set(uid, account);
			redirect(res, `/interaction/${uid}`);
			return;
		}
		this.#truth.count('wrong_passwords');
		this.#show(res, uid, 'The user name or the password is wrong. Please try again.',
			form.get('username') ?? '');
	}

	async #checkCode(req, res, uid) {
		const form = new URLSearchParams(await bodyOf(req));
		const account = this.#passed.get(uid);
		if (!account || !totpVerify(account.totp_secret, form.get('code'))) {
			this.#truth.count('wrong_codes');
			this.#show(res, uid, account ? 'That code is wrong or too old. Please try again.' : '');
			return;
		}
		this.#passed.delete(uid);
		await this.#provider.interactionFinished(req, res, { login: {
			accountId: account.login, amr: ['pwd', 'otp'], remember: true } });
	}

	/** Forgets the provider's own sessions, of one account or of all. */
	end(login) {
		for (const [key, row] of this.#rows) {
			if (key.startsWith('Session:') && (!login || row.accountId === login))
				this.#rows.delete(key);
		}
	}
}
