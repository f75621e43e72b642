/*
 * The real authd for tests, in a directory of its own, and an HTTP client of its socket such as nginx is.
 *
 *	const authd = await startAuthd({ dir, pg, set: { login_idle_s: 2 }, env: { ADMIN_USER, ADMIN_PASS } });
 *	const answer = await authd.request("POST", "/login", { body: { name, password } });
 *	answer.status, answer.headers, answer.body, answer.cookies
 *
 * Requests carry ORIGIN's Host and Origin unless told otherwise; headers of undefined are left out.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const ROOT = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../..");
const PROGRAMS = process.env.STEAD_PROGRAMS ?? join(ROOT, "build/plain/bin");

export const ORIGIN = "http://127.0.0.1:8080";
export const ADMIN = { ADMIN_USER: "alice", ADMIN_PASS: "green-lantern-otter-47" };

/* As cheap as Argon2id gets: what is tested here is not its cost. */
export const CHEAP = { hash_memory_kib: 64, hash_passes: 1 };

class Authd {
	constructor(dir, options)
	{
		this.sockets = join(dir, "run");
		this.options = options;
		this.log = [];
		this.lines = undefined;
	}

	socket(name)
	{
		return join(this.sockets, "authd", name);
	}

	async start()
	{
		const { pg, set = {}, env = ADMIN } = this.options;
		const settings = { origin: ORIGIN, database: pg.as("stead_authd"), stream_user: "self", control_user: "self",
			...CHEAP, ...set };
		const args = ["--socket-dir", this.sockets, "--log-level", "debug",
			...Object.entries(settings).flatMap(([name, value]) => ["--set", `${name}=${value}`])];

		await mkdir(this.sockets, { recursive: true, mode: 0o755 });
		await chmod(this.sockets, 0o755);
		this.child = spawn(join(PROGRAMS, "authd"), args, { env: { PATH: process.env.PATH, ...env },
			stdio: ["ignore", "ignore", "pipe"] });
		this.exited = once(this.child, "exit");
		this.lines = createInterface({ input: this.child.stderr });
		this.lines.on("line", (line) => this.log.push(line));
		await this.logged(/ info: ready/, this.log.length);
	}

	/* The first line from number `from` on that matches, waited for. */
	async logged(pattern, from = 0)
	{
		const found = () => this.log.slice(from).find((line) => pattern.test(line));

		while (!found() && this.child.exitCode === null)
			await Promise.race([once(this.lines, "line"), this.exited]);
		if (!found())
			throw new Error(`authd ended without saying ${pattern}:\n${this.log.join("\n")}`);
		return found();
	}

	/* Ends it; the exit code, or the signal's name. */
	async stop(signal = "SIGTERM")
	{
		if (this.child.exitCode === null && this.child.signalCode === null)
			this.child.kill(signal);
		const [code, name] = await this.exited;

		return code ?? name;
	}

	/* What its threads have used so far, in ms, a hundredth of a second exact (proc(5), stat: utime and stime). */
	processorTime()
	{
		const fields = readFileSync(`/proc/${this.child.pid}/stat`, "latin1").split(") ")[1].split(" ");

		return 10 * (Number(fields[11]) + Number(fields[12]));
	}

	async restart(signal = "SIGTERM")
	{
		await this.stop(signal);
		await this.start();
	}

	/* path is below /api/v1 unless it begins with "//", which stands for the root. */
	request(verb, path, { body, raw, headers = {}, cookie, ip = "192.0.2.1", signal } = {})
	{
		const text = raw ?? (body === undefined ? undefined : JSON.stringify(body));
		const all = { Host: new URL(ORIGIN).host, Origin: ORIGIN, "X-Real-IP": ip, Cookie: cookie,
			...(text === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) }),
			...headers };

		for (const [name, value] of Object.entries(all))
			if (value === undefined)
				delete all[name];
		return new Promise((done, failed) => {
			const request = httpRequest({ socketPath: this.socket("http"), method: verb, agent: false,
				path: path.startsWith("//") ? path.slice(1) : `/api/v1${path}`, headers: all, signal },
			async (response) => {
				let content = "";

				for await (const piece of response)
					content += piece;
				done({ status: response.statusCode, headers: response.headers, text: content,
					body: content ? JSON.parse(content) : null, cookies: cookiesOf(response) });
			});

			request.on("error", failed);
			request.end(text);
		});
	}

	get(path, options)
	{
		return this.request("GET", path, options);
	}

	post(path, body = {}, options = {})
	{
		return this.request("POST", path, { body, ...options });
	}

	signIn(name = ADMIN.ADMIN_USER, password = ADMIN.ADMIN_PASS, options = {})
	{
		return this.post("/login", { name, password }, options);
	}
}

/* { name: { value, attributes } } of the answer. */
function cookiesOf(response)
{
	return Object.fromEntries((response.headers["set-cookie"] ?? []).map((text) => {
		const [, name, value, attributes] = /^([^=]+)=([^;]*)(.*)$/.exec(text);

		return [name, { value, attributes }];
	}));
}

/* The Cookie header that sends back what an answer has set. */
export function cookie(answer, ...names)
{
	const wanted = names.length ? names : Object.keys(answer.cookies);

	return wanted.map((name) => `${name}=${answer.cookies[name].value}`).join("; ");
}

export async function startAuthd({ dir, ...options })
{
	const authd = new Authd(dir, options);

	await authd.start();
	return authd;
}
