/*
 * All of Stead in one directory, for the demo and the tests: a private PostgreSQL, the stand-in sites, the four daemons
 * and nginx, all as the one user who started this.
 *
 *	const stead = await startStack();
 *	stead.url                                  where a browser finds it
 *	stead.admin                                { name, password } of the first administrator
 *	stead.sites                                the stand-ins: { info, control(path, body) }
 *	stead.daemon("streamd").kill("SIGKILL")    then .start(); or .restart()
 *	stead.postgres                             tests/lib/postgres.mjs
 *	stead.steadctl("session", "list")          its output, or throws what it said
 *	await stead.stop()
 *
 * dir is made below /tmp when left out, for the paths of Unix sockets are short; it holds log/NAME.log. port is nginx's,
 * a free one if 0. settings ({ streamd: { stream_idle_s: 5 } }) are put after those that the demo needs.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { startPostgres } from "../tests/lib/postgres.mjs";
import { startSites } from "../tests/sites/client.mjs";
import { fileAppears } from "./file.mjs";
import { Process } from "./process.mjs";

const run = promisify(execFile);
const ROOT = resolve(fileURLToPath(new URL("..", import.meta.url)));
const DAEMONS = ["authd", "sessiond", "streamd", "botd"];
/* Where these are when the caller's PATH does not say, as a user's does not in Debian. */
const SYSTEM_PATHS = ["/usr/sbin", "/sbin"];

function settingsText(settings)
{
	return Object.entries(settings).flatMap(([name, value]) => [value].flat().map((one) => `${name} = ${one}\n`)).join("");
}

function freePort(wanted)
{
	const server = createServer();

	return new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen(wanted, "127.0.0.1", () => {
			const { port } = server.address();

			server.close(() => resolve(port));
		});
	});
}

class Stack {
	admin = { name: "admin", password: `demo-${randomBytes(9).toString("base64url")}` };
	postgres = null;
	sites = null;
	#processes = new Map();
	#options;

	constructor(dir, own, options)
	{
		this.dir = dir;
		this.own = own;
		this.run = join(dir, "run");
		this.programs = options.programs ?? process.env.STEAD_PROGRAMS ?? join(ROOT, "build/plain/bin");
		this.#options = options;
	}

	get url()
	{
		return `http://127.0.0.1:${this.port}`;
	}

	daemon(name)
	{
		return this.#processes.get(name);
	}

	async #directories()
	{
		for (const name of ["run", "log", "etc", "recipes", "sites", "profiles", "vault"])
			await mkdir(join(this.dir, name), { recursive: true, mode: 0o700 });
		await copyFile(join(ROOT, "tests/sites/desk.json"), join(this.dir, "recipes/desk.json"));
	}

	/* What all daemons read, in stead.conf beside their own. */
	#sharedSettings()
	{
		const { port, spki, hosts } = this.sites.info;

		return { origin: [this.url, `http://localhost:${this.port}`], recipes: join(this.dir, "recipes"),
			pin: hosts.map((host) => `${host}=127.0.0.1:${port}`), trusted_key: spki };
	}

	/* What one settings file says beside the defaults. */
	#settings(name)
	{
		const database = (role) => ({ database: this.postgres.as(role) });
		const users = (...roles) => Object.fromEntries(roles.map((role) => [`${role}_user`, "self"]));
		const all = {
			authd: { ...database("stead_authd"), ...users("stream", "control") },
			sessiond: { ...database("stead_sessiond"), ...users("front", "stream", "bot", "control"),
				master_key_file: join(this.dir, "etc/master-key"), master_key_create: 1, state_dir: join(this.dir, "vault") },
			streamd: { ...users("front", "bot", "control"),
				launcher: join(this.programs, "stead-launcher") },
			botd: { ...database("stead_botd"), ...users("front", "stream", "control") },
		};

		return { ...all[name], ...this.#options.settings?.[name] };
	}

	#process(name, how)
	{
		const process = new Process(name, { log: join(this.dir, "log", `${name}.log`),
			unasked: this.#options.unasked, ...how });

		this.#processes.set(name, process);
		return process;
	}

	async #startDaemon(name)
	{
		const config = join(this.dir, "etc", `${name}.conf`);
		const admin = name === "authd" ? { ADMIN_USER: this.admin.name, ADMIN_PASS: this.admin.password } : {};

		await writeFile(config, settingsText(this.#settings(name)), { mode: 0o600 });
		await this.#process(name, {
			program: join(this.programs, name),
			args: ["--config", config, "--socket-dir", this.run, ...(this.#options.debug ? ["--log-level", "debug"] : [])],
			env: { TMPDIR: join(this.dir, "profiles"), ...admin, ...this.#options.env },
			ready: /\bready$/,
		}).start();
	}

	async #startNginx()
	{
		const log = join(this.dir, "log");
		const { stdout } = await run(join(ROOT, "web/nginx/demo"), [String(this.port), this.run,
			this.#options.web ?? join(ROOT, "build/web"), join(log, "access.log")]);
		const directory = join(this.run, "nginx");

		await this.#process("nginx", {
			program: "nginx",
			args: ["-e", "stderr", "-c", stdout.trim()],
			env: { PATH: [process.env.PATH, ...SYSTEM_PATHS].join(":") },
			before: () => rm(join(directory, "pid"), { force: true }), /* of one that was killed */
			ready: () => fileAppears(directory, "pid"), /* written once it listens */
		}).start();
	}

	async start()
	{
		const { port = 0, sites = {}, postgres } = this.#options;

		this.port = await freePort(port);
		await this.#directories();
		await this.#foundations(sites, postgres);
		await writeFile(join(this.dir, "etc/stead.conf"), settingsText({ ...this.#sharedSettings(), ...this.#options.settings?.shared }),
			{ mode: 0o600 });
		for (const name of DAEMONS)
			await this.#startDaemon(name);
		await this.#startNginx();
	}

	/* Both are kept, whichever fails, for stop() to end them. */
	async #foundations(sites, settings)
	{
		const done = await Promise.allSettled([
			startPostgres({ dir: this.dir, settings }).then((postgres) => {
				this.postgres = postgres;
			}),
			startSites({ dir: join(this.dir, "sites"), ...sites }).then((started) => {
				this.sites = started;
			}),
		]);
		const failed = done.find(({ status }) => status === "rejected");

		if (failed)
			throw failed.reason;
	}

	/* Its output, or throws what it said. { input } as the last argument is what it reads. */
	async steadctl(...args)
	{
		const input = typeof args.at(-1) === "object" ? args.pop().input : "";
		const running = run(join(this.programs, "steadctl"), ["--socket-dir", this.run, ...args]);

		running.child.stdin.on("error", () => {}); /* it has refused its words without reading anything */
		running.child.stdin.end(input);
		try {
			return (await running).stdout;
		} catch (error) {
			throw Object.assign(new Error(`steadctl ${args.join(" ")}: ${error.stderr || error.stdout || error.message}`),
				{ stdout: error.stdout });
		}
	}

	async addUser(name, password)
	{
		await this.steadctl("user", "add", name, { input: `${password}\n` });
	}

	/* Whoever needs another to end in order ends before it, as systemd has it: botd's browsers are streamd's, both save with sessiond. */
	async #stopDaemons()
	{
		for (const name of DAEMONS.toReversed())
			await this.daemon(name)?.stop();
	}

	async restartDaemons()
	{
		await this.#stopDaemons();
		for (const name of DAEMONS)
			await this.daemon(name).start();
	}

	/* Everything that one of them wrote, such as "streamd". */
	logText(name)
	{
		return readFile(join(this.dir, "log", `${name}.log`), "utf8");
	}

	/* What was left by a daemon that has been killed goes too. keep: leave the directory, to look into its logs. */
	async stop({ keep = false } = {})
	{
		await this.daemon("nginx")?.stop();
		await this.#stopDaemons();
		await this.sites?.stop();
		await this.postgres?.stop();
		if (this.own && !keep)
			await rm(this.dir, { recursive: true, force: true });
	}
}

export async function startStack({ dir, ...options } = {})
{
	if (process.getuid() === 0)
		throw new Error("Chromium's sandbox and PostgreSQL refuse root: start this as another user, as \"make demo\" and \"make test\" do.");
	const stack = new Stack(dir ?? await mkdtemp("/tmp/stead-"), !dir, options);

	try {
		await stack.start();
	} catch (error) {
		await stack.stop({ keep: true });
		throw error;
	}
	return stack;
}
