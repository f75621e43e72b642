/*
 * What the end-to-end tests share: all of Stead in a directory (demo/stack.mjs), people who call its HTTP API through
 * nginx with their login cookie, and sign-ins driven over their WebSocket with keys, as the web page sends them.
 *
 *	const rig = await startRig();
 *	const alice = await rig.login("alice");            // an account of Stead, and of the site's provider
 *	const signIn = await alice.open();                 // POST /streams and its WebSocket
 *	await signIn.atSite();                             // SSO, password, one-time code
 *	await signIn.reaches("saved");
 *	await rig.stop();
 *
 * Whatever is awaited has a limit, and a sentence for when that is over.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { WebSocket } from "ws";

import { startStack } from "../../demo/stack.mjs";
import { SignIn } from "./sign_in.mjs";
import { becomes, httpCall, inTime, LIMIT_MS, WAIT_MS } from "./waits.mjs";

export { becomes, httpCall, inTime, LIMIT_MS, SignIn };

const run = promisify(execFile);

export const SITE = "desk";
/* "Two seconds later no Chromium of it is left", on a machine that has the time. */
export const LEFT_MS = 10_000;
const ASK_MS = 1000;
/* As cheap as Argon2id gets: what is tested here is not its cost. */
const CHEAP = { hash_memory_kib: 64, hash_passes: 1 };
/* The site is on this machine: what has come is settled soon. */
const QUICK = (desk) => {
	desk.settle.quiet_ms = 500;
	desk.probe.second_look_ms = 300;
	desk.actions.book.answer_ms = 5000;
};
const PASSWORD = "green lantern otter 47";

/* One person's browser, as far as Stead sees it. */
export class Visitor {
	constructor(rig, name)
	{
		this.rig = rig;
		this.name = name;
		this.cookie = "";
	}

	/* path is below /api/v1. */
	call(method, path, body, headers = {})
	{
		const raw = body === undefined ? undefined : JSON.stringify(body);

		return httpCall(`${this.rig.url}/api/v1${path}`, { method, raw, headers: { Origin: this.rig.url,
			...(this.cookie ? { Cookie: this.cookie } : {}),
			...(raw === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(raw) }),
			...headers } });
	}

	/* The answer's body; anything but success is an error. */
	async must(method, path, body)
	{
		const { status, body: answer } = await this.call(method, path, body);

		assert.ok(status >= 200 && status < 300, `${method} ${path} answered ${status}: ${JSON.stringify(answer)}`);
		return answer;
	}

	async login(password = PASSWORD)
	{
		const { status, headers, body } = await this.call("POST", "/login", { name: this.name, password });

		assert.equal(status, 200, `the sign-in of ${this.name} to Stead answered ${status}: ${JSON.stringify(body)}`);
		this.cookie = headers["set-cookie"].map((line) => line.split(";")[0]).join("; ");
		return this;
	}

	async show(id)
	{
		return (await this.must("GET", `/streams/${id}`)).stream;
	}

	async sessions()
	{
		return (await this.must("GET", "/sessions")).sessions;
	}

	async open({ connect = true, ...wish } = {})
	{
		const { id } = await this.must("POST", "/streams", { site: SITE, ...wish });
		const signIn = new SignIn(this, id);

		if (connect)
			await signIn.connect();
		return signIn;
	}

	/* A sign-in that has come to the provider and waits for the password. */
	async openAtSso()
	{
		const signIn = await this.open();

		await signIn.toSso();
		return signIn;
	}

	async savedSignIn()
	{
		const signIn = await this.open();

		await signIn.atSite();
		await signIn.reaches("saved");
		return signIn;
	}

	/* Also right after the database was away. */
	async closeAll()
	{
		const open = await becomes(async () => (await this.call("GET", "/streams")).body.streams, WAIT_MS, "nobody lists the sign-ins");

		for (const { id } of open)
			await this.call("POST", `/streams/${id}/close`, {});
	}

	/* Asks for a booking; resolves to it. */
	async book(inputs, key = `${this.name}-${JSON.stringify(inputs)}`.replace(/[^\w-]+/g, "").slice(0, 64))
	{
		return (await this.must("POST", "/bookings", { key, site: SITE, action: "book", inputs })).booking;
	}

	async booking(id)
	{
		return (await this.must("GET", `/bookings/${id}`)).booking;
	}

	/* Resolves to it when it is in one of these states; it is looked at, as a poll of the page would. */
	bookingIs(id, states, ms = WAIT_MS)
	{
		let last;

		return becomes(async () => {
			const { status, body } = await this.call("GET", `/bookings/${id}`);

			last = body.booking ?? body;
			return status === 200 && states.includes(last.state) ? last : null;
		}, ms, () => `booking ${id} was to be ${states.join(" or ")} and is ${JSON.stringify(last)}`, ASK_MS);
	}
}

/* Every picture that is looked at by hand is kept where STEAD_PICTURES says. */
export async function picture(page, name)
{
	if (!process.env.STEAD_PICTURES)
		return;
	for (const colorScheme of ["light", "dark"])
		for (const width of [1280, 390]) {
			await page.emulateMedia({ colorScheme });
			await page.setViewportSize({ width, height: 860 });
			await page.screenshot({ path: `${process.env.STEAD_PICTURES}/${name}-${colorScheme}-${width}.png`, fullPage: true });
		}
}

function processes()
{
	return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
		try {
			const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
			const rest = stat.slice(stat.lastIndexOf(")") + 2).split(" ");

			return [{ pid: Number(pid), state: rest[0], parent: Number(rest[1]), begun: rest[19],
				name: stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")")),
				command: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim() }];
		} catch {
			return []; /* it has ended */
		}
	});
}

class Rig {
	constructor(stack)
	{
		this.stack = stack;
		this.users = new Set();
	}

	get password() { return PASSWORD; } /* of everybody that login() has made */
	get url() { return this.stack.url; }
	get sites() { return this.stack.sites; }
	get postgres() { return this.stack.postgres; }

	daemon(name)
	{
		return this.stack.daemon(name);
	}

	account(login)
	{
		return this.sites.info.accounts.find((one) => one.login === login);
	}

	visitor(name)
	{
		return new Visitor(this, name);
	}

	/* Made if there is none of that name. */
	async login(name)
	{
		if (!this.users.has(name))
			await this.stack.addUser(name, PASSWORD);
		this.users.add(name);
		return this.visitor(name).login();
	}

	socket(path, visitor, headers = {})
	{
		const all = { Origin: this.url, Cookie: visitor?.cookie, ...headers };
		const given = Object.entries(all).filter(([, value]) => value !== undefined);

		return new WebSocket(`${this.url.replace("http", "ws")}${path}`, { headers: Object.fromEntries(given) });
	}

	/* streamd's launchers and all below them, dead daemons' orphans too: by tree, and by the profile they were given. */
	browserProcesses()
	{
		const all = processes().filter(({ state }) => state !== "Z");
		const profiles = join(this.stack.dir, "profiles");
		const own = new Set([this.daemon("streamd").pid]);
		const found = new Set(all.filter(({ command }) => command.includes(`${profiles}/`)).map(({ pid }) => pid));

		for (let before = -1; before !== own.size + found.size;) {
			before = own.size + found.size;
			for (const { pid, parent } of all)
				if (own.has(parent) || found.has(parent))
					found.add(pid);
		}
		return all.filter(({ pid }) => found.has(pid));
	}

	/* The main process of each running browser, oldest first. */
	browsers()
	{
		return this.browserProcesses().filter(({ command }) => command.includes("--user-data-dir=")
			&& !command.includes("--type=")).sort((a, b) => a.begun - b.begun);
	}

	/* The pages' processes of one browser. */
	renderers(browser)
	{
		const all = this.browserProcesses();
		const family = new Set([browser.pid]);

		for (let before = 0; before !== family.size;) {
			before = family.size;
			for (const { pid, parent } of all)
				if (family.has(parent))
					family.add(pid);
		}
		return all.filter(({ pid, command }) => family.has(pid) && command.includes("--type=renderer"));
	}

	launchers()
	{
		return this.browserProcesses().filter(({ name }) => name.startsWith("stead-launcher"))
			.sort((a, b) => a.begun - b.begun);
	}

	profiles()
	{
		return readdirSync(join(this.stack.dir, "profiles"));
	}

	/*
	 * Two seconds after what has just happened no process and no profile of an ended sign-in is left: of all that were
	 * there before, given as what remembered() said. Resolves to the time it took, ms.
	 */
	async nothingLeft(before = null, ms = LEFT_MS)
	{
		const begun = Date.now();
		const same = new Set((before?.processes ?? []).map(({ pid, begun: at }) => `${pid} ${at}`));
		const look = () => processes().filter(({ pid, begun: at, state }) => state !== "Z" && same.has(`${pid} ${at}`))
			.concat(before ? [] : this.browserProcesses());
		const left = () => before ? this.profiles().filter((name) => before.profiles.includes(name)) : this.profiles();

		await becomes(() => look().length === 0 && left().length === 0, ms, () => `${ms} ms after its end there were left: ${
			look().map(({ pid, command }) => `${pid} ${command.slice(0, 160)}`).concat(left()).join("; ")}`);
		return Date.now() - begun;
	}

	remembered()
	{
		return { processes: this.browserProcesses(), profiles: this.profiles() };
	}

	/* Resolves once a statement of this role waits for a lock that somebody else holds. */
	async waitsForLock(role, ms = WAIT_MS)
	{
		await this.postgres.sql(`DO $$ DECLARE until timestamptz := clock_timestamp() + interval '${ms} ms'; BEGIN
			WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = '${role}' AND wait_event_type = 'Lock') LOOP
				IF clock_timestamp() > until THEN RAISE EXCEPTION 'nothing of ${role} came to wait'; END IF;
				PERFORM pg_sleep(0.02), pg_stat_clear_snapshot();
			END LOOP; END $$`);
	}

	/* Nobody else gets at that table until the function that this resolves to has been called. */
	async locked(table)
	{
		const mark = `e2e-lock-${table}`;
		const psql = execFile(join(process.env.PG_BIN ?? "/usr/lib/postgresql/15/bin", "psql"), ["-X", "-q", "-A", "-t",
			"-v", "ON_ERROR_STOP=1", "-h", this.postgres.dir, "-U", "postgres", "-d", "stead"]);
		const ended = once(psql, "close");

		psql.stdin.write(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE; SELECT '${mark}';\n`);
		await inTime(new Promise((done) => {
			psql.stdout.on("data", (text) => text.includes(mark) && done());
		}), WAIT_MS, `${table} could not be locked.`);
		return async () => {
			psql.stdin.end("ROLLBACK;\n");
			await ended;
		};
	}

	/* Changes settings in the daemon's file, to be read at its next start; undefined takes one out. */
	async set(name, settings)
	{
		const path = join(this.stack.dir, "etc", `${name}.conf`);
		const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line
			&& !Object.keys(settings).includes(line.split(" = ")[0]));

		for (const [key, value] of Object.entries(settings))
			if (value !== undefined)
				lines.push(`${key} = ${value}`);
		await writeFile(path, `${lines.join("\n")}\n`, { mode: 0o600 });
	}

	/* With these settings from now on. */
	async restart(name, settings = {}, signal = "SIGTERM")
	{
		await this.daemon(name).stop(signal);
		await this.set(name, settings);
		await this.daemon(name).start();
	}

	async changeRecipe(change)
	{
		const path = join(this.stack.dir, "recipes/desk.json");
		const desk = JSON.parse(await readFile(path, "utf8"));

		change(desk);
		await writeFile(path, JSON.stringify(desk));
		await Promise.all(["streamd", "botd"].map((name) => this.daemon(name).restart()));
	}

	async steadctl(...args)
	{
		return JSON.parse(await this.stack.steadctl(...args, "--json"));
	}

	/* What every daemon says of itself; "steadctl status" fails when one of them tells of trouble, and says it all the same. */
	async status()
	{
		return JSON.parse(await this.stack.steadctl("status", "--json").catch(({ stdout }) => stdout));
	}

	/* What the site's own list holds. */
	async booked()
	{
		return (await this.sites.control("/state")).bookings;
	}

	stop()
	{
		return this.stack.stop({ keep: Boolean(process.env.STEAD_KEEP) });
	}
}

/*
 * Options: as startStack(); recipe(desk), which may change the site's recipe; and widget: false for what is about bookings, and
 * not about what a session is made of: the site then does without the frame of another site, a fourth of what a browser costs.
 */
export async function startRig({ recipe = QUICK, widget = true, ...options } = {})
{
	const settings = options.settings ?? {};
	const rig = new Rig(await startStack({ ...options, settings: { ...settings,
		authd: { ...CHEAP, ...settings.authd } } }));

	try {
		await rig.sites.control("/knobs", { widget });
		await rig.changeRecipe(recipe);
	} catch (error) {
		await rig.stop();
		throw error;
	}
	return rig;
}

/* A day that the site takes, n days from today. */
export function day(n)
{
	return new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10);
}

/* Whose executable that is; for a process that is not our own. */
export function executable(pid)
{
	return readlinkSync(`/proc/${pid}/exe`);
}

export { run };
