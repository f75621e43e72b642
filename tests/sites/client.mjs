// For tests and the demo: the stand-in sites as a child process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export { totp, totpSecondsLeft } from './totp.mjs';

const SERVE = fileURLToPath(new URL('serve.mjs', import.meta.url));

/**
 * One call of the control socket at path: with a body it is a POST, without one a GET.
 * Resolves to the answer; rejects with the sentence of a refusal.
 */
export function controlCall(socketPath, path, body) {
	const text = body === undefined ? undefined : JSON.stringify(body);
	const how = text === undefined ? { method: 'GET' } :
		{ method: 'POST', headers: { 'content-length': Buffer.byteLength(text) } };
	return new Promise((resolve, reject) => {
		const req = request({ socketPath, path, agent: false, ...how });
		req.on('error', reject);
		req.on('response', async (res) => {
			let answer = '';
			for await (const chunk of res.setEncoding('utf8'))
				answer += chunk;
			const value = JSON.parse(answer);
			if (res.statusCode === 200)
				resolve(value);
			else
				reject(new Error(value.error));
		});
		req.end(text);
	});
}

async function firstLine(child) {
	const line = once(createInterface({ input: child.stdout }), 'line');
	const end = once(child, 'exit').then(([code]) => {
		throw new Error(`The stand-in sites ended with status ${code} before they were ready.`);
	});
	end.catch(() => {});
	return (await Promise.race([line, end]))[0];
}

/**
 * Starts the sites in dir (made if missing) and waits until they answer. They end with this
 * process, or by stop(). info is what sites.json holds.
 */
export async function startSites({ dir, port = 0, control } = {}) {
	const child = spawn(process.execPath, [SERVE, '--dir', dir, '--port', String(port),
		...(control ? ['--control', control] : []), '--stdin-lifetime'],
	{ stdio: ['pipe', 'pipe', 'inherit'] });
	const info = JSON.parse((await firstLine(child)).replace(/^ready /, ''));
	const ended = once(child, 'exit');
	return {
		info,
		pid: child.pid,
		control: (path, body) => controlCall(info.control, path, body),
		async stop() {
			child.kill('SIGTERM');
			const [code] = await ended;
			return code;
		},
	};
}

/** The arguments by which Chromium reaches the sites and trusts them, as Stead's settings do. */
export function chromiumArguments({ port, spki, hosts }) {
	const pins = hosts.map((host) => `MAP ${host}:443 127.0.0.1:${port}`);
	return [`--host-resolver-rules=${pins.join(',')}`,
		`--ignore-certificate-errors-spki-list=${spki}`];
}
