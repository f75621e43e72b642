// The little that the sites need around node's own HTTP.
import { readFileSync } from 'node:fs';

const BODY_MAX = 1 << 20;
const TYPES = { html: 'text/html; charset=utf-8', css: 'text/css; charset=utf-8',
	js: 'text/javascript; charset=utf-8', svg: 'image/svg+xml' };

export function cookiesOf(req) {
	const pairs = (req.headers.cookie ?? '').split('; ').filter((pair) => pair.includes('='));
	return Object.fromEntries(pairs.map((pair) => {
		const at = pair.indexOf('=');
		return [pair.slice(0, at), pair.slice(at + 1)];
	}));
}

export async function bodyOf(req) {
	const chunks = [];
	let size = 0;
	for await (const chunk of req) {
		size += chunk.length;
		if (size > BODY_MAX)
			throw Object.assign(new Error('The body is larger than 1 MiB.'), { status: 413 });
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString('utf8');
}

export async function jsonOf(req) {
	try {
		return JSON.parse(await bodyOf(req));
	} catch (error) {
		throw Object.assign(new Error(`The body is not JSON: ${error.message}.`), { status: 400 });
	}
}

export function escapeHtml(text) {
	return String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** A page from disk; {{name}} in it is replaced by the escaped value. */
export function page(url, values = {}) {
	return readFileSync(url, 'utf8')
		.replace(/\{\{(\w+)\}\}/g, (_, name) => escapeHtml(values[name] ?? ''));
}

export function send(res, status, type, body, headers = {}) {
	res.writeHead(status, { 'content-type': TYPES[type] ?? type, 'cache-control': 'no-store',
		...headers });
	res.end(body);
}

export function sendJson(res, status, value, headers) {
	send(res, status, 'application/json', JSON.stringify(value), headers);
}

export function redirect(res, to, headers = {}) {
	send(res, 303, 'text/plain', `See ${to}\n`, { location: to, ...headers });
}

/** Serves /static/NAME from a folder of pages; false if the path is not of that kind. */
export function sendStatic(res, path, folder) {
	const name = /^\/static\/([a-z]+\.(css|js|svg))$/.exec(path);
	if (!name)
		return false;
	send(res, 200, name[2], readFileSync(new URL(name[1], folder)));
	return true;
}
