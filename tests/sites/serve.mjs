// The stand-in third-party sites: one process, one HTTPS listener, several names. See README.md.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { accounts } from './accounts.mjs';
import { certificateOf } from './certificate.mjs';
import { Control } from './control.mjs';
import { Api } from './desk/api.mjs';
import { Bookings } from './desk/bookings.mjs';
import { Sessions } from './desk/sessions.mjs';
import { DeskSite } from './desk/site.mjs';
import { send } from './http.mjs';
import { defaultKnobs } from './knobs.mjs';
import { CompanySso } from './provider.mjs';
import { Truth } from './truth.mjs';
import { Widgets } from './widgets.mjs';

const USAGE = 'node serve.mjs --dir DIR [--port N] [--control PATH] [--stdin-lifetime]';

function options() {
	try {
		const { values } = parseArgs({ options: { dir: { type: 'string' }, control: { type: 'string' },
			port: { type: 'string', default: '0' }, 'stdin-lifetime': { type: 'boolean' } } });
		if (!values.dir)
			throw new Error('--dir is missing: the directory for certificates and sites.json');
		return { ...values, dir: resolve(values.dir), port: Number(values.port) };
	} catch (error) {
		console.error(`${error.message}\nUsage: ${USAGE}`);
		process.exit(2);
	}
}

/** All parts, and which of them answers for which name. */
function build(dial) {
	const knobs = defaultKnobs();
	const truth = new Truth();
	const client = { id: 'desk', secret: randomBytes(24).toString('base64url'),
		redirectUri: 'https://desk.test/callback' };
	const parts = { knobs, truth, client, dial, sessions: new Sessions(knobs, truth),
		bookings: new Bookings(knobs), widgets: new Widgets(), sso: new CompanySso(client, truth) };
	const hosts = { 'desk.test': new DeskSite(parts), 'api.desk.test': new Api(parts),
		'sso.test': parts.sso, 'widgets.test': parts.widgets };
	return { parts, hosts };
}

async function answer(hosts, req, res) {
	const name = String(req.headers.host).replace(/:\d+$/, '');
	try {
		if (Object.hasOwn(hosts, name))
			await hosts[name].handle(req, res, new URL(req.url, `https://${name}`));
		else
			send(res, 421, 'text/plain', `No site here is called ${name}.\n`);
	} catch (error) {
		if (!error.status)
			console.error(`${name} ${req.method} ${req.url}:`, error);
		if (!res.headersSent)
			send(res, error.status ?? 500, 'text/plain', `${error.message}\n`);
	}
}

function listen(server, port) {
	return new Promise((done, fail) => {
		server.once('error', fail);
		server.listen(port, '127.0.0.1', () => done(server.address().port));
	});
}

async function main() {
	const { dir, port, control: path = join(dir, 'control.sock'), ...rest } = options();
	mkdirSync(dir, { recursive: true });
	const dial = {};
	const { parts, hosts } = build(dial);
	const { ca, caPath, cert, key, spki } = certificateOf(dir, Object.keys(hosts));
	const server = createServer({ cert, key }, (req, res) => answer(hosts, req, res));
	const control = new Control(parts);

	await control.listen(resolve(path));
	Object.assign(dial, { ca, port: await listen(server, port) });
	const info = JSON.stringify({ port: dial.port, ca: caPath, spki, hosts: Object.keys(hosts),
		accounts, control: resolve(path) });
	writeFileSync(join(dir, 'sites.json'), `${info}\n`, { mode: 0o600 });

	const stop = () => {
		control.close();
		server.closeAllConnections();
		server.close(() => process.exit(0));
	};
	process.once('SIGTERM', stop).once('SIGINT', stop);
	if (rest['stdin-lifetime'])
		process.stdin.once('close', stop).resume();
	console.log(`ready ${info}`);
}

main().catch((error) => {
	console.error(`The stand-in sites could not start: ${error.message}`);
	process.exit(1);
});
