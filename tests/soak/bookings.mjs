/*
 * Bookings under fire: every daemon, launcher, Chromium and PostgreSQL are killed (SIGKILL) at random, half of the time just
 * as the site has been asked to book, while people book. The stand-in counts what it was asked.
 *
 *	node tests/soak/bookings.mjs [BOOKINGS] [MINUTES] [SEED]     2000 by default; no more are asked for after MINUTES
 *
 * It fails unless
 *   - no booking was submitted twice;
 *   - every one that was killed before its intent ends as booked;
 *   - every one that stands at the site ends as booked, or as unconfirmed where its list is kept unreadable, and there a look
 *     finds it once the list can be read;
 *   - unconfirmed without a submission are only those where a kill fell between the intent and the request's first byte, at most
 *     3 % of all.
 */
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";

import { becomes, day, startRig } from "../e2e/rig.mjs";
import { judge, ROWS } from "./judge.mjs";

const PEOPLE = ["alice", "bob", "carol", "dave"];
const DARK_DAY = 27; /* the last of the days that are booked; one booking of each person */
const AT_ONCE = 6;   /* of a person, that have been asked for and have not ended */
const MOST_UNSENT = 0.03;
const TOLD_MS = 30_000;
const STALL_MS = 20_000;
const DYING_MS = 250; /* by then a process that was killed is gone, and who speaks with it knows */
const SETTINGS = { botd: { retry_ms: 200, lease_ms: 2000, poll_ms: 500, tries: 100, most_per_minute: 100_000 } };

/* The same numbers for the same seed, as far as time lets it. */
function randomOf(seed)
{
	let state = seed >>> 0;

	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);

		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

/* The plan of a day has an address, and the own list of a day, too. */
const quick = (confirm_ms) => (desk) => {
	const { steps, list } = desk.actions.book;
	const [open] = steps.splice(0, steps.findIndex(({ say }) => say === "wait for the floor plan"));

	desk.settle.quiet_ms = 500;
	steps.unshift({ ...open, url: `${open.url}?date={date}` });
	delete list.again;
	list.steps = [{ step: "open", url: "https://desk.test/mine?date={date}", say: "open the list of your bookings" },
		{ ...list.steps.at(-1), at: { css: ".UITable .UITable---row" } }];
	Object.assign(list, { none: { css: ".UITable .empty" }, patience_ms: 2000, confirm_ms });
};

/* Desks that nobody owns, day after day; each wish is one person's, and one person's alone is a row of the dark day. */
function wishes(count)
{
	const desks = [["1", "D", 3], ["2", "E", 2]].flatMap(([building, letter, floors]) => Array.from({ length: floors }, (_, f) =>
		Array.from({ length: 24 }, (_, i) => i + 1).filter((n) => n % 7).map((n) => ({ building, floor: String(f + 1),
			desk: `${letter}-${(f + 1) * 100 + n}`, space: Number(building) * 10_000 + (f + 1) * 100 + n }))).flat());
	const plain = Array.from({ length: DARK_DAY - 1 }, (_, i) => day(i + 1)).flatMap((date) => desks.map((desk) => ({ ...desk, date })));
	const all = plain.slice(0, count - PEOPLE.length).map((wish, i) => ({ ...wish, login: PEOPLE[i % PEOPLE.length] }));

	/* In the middle of the others. */
	all.splice(Math.floor(all.length / 2), 0, ...PEOPLE.map((login, i) => ({ ...desks[i], date: day(DARK_DAY), login, dark: true })));
	return all;
}

/* While Stead is being killed, nothing is certain to be answered. */
async function stubborn(work, what)
{
	let said;

	return becomes(() => work().catch((error) => {
		said = error.message;
		return null;
	}), 120_000, () => `${what}: ${said}`);
}

class Fire {
	kills = {};
	fallen = []; /* each kill, for judge() */
	#over = false;

	constructor(rig, random)
	{
		this.rig = rig;
		this.random = random;
	}

	#pick(list)
	{
		return list[Math.floor(this.random() * list.length)];
	}

	#note(name, from)
	{
		this.kills[name] = (this.kills[name] ?? 0) + 1;
		this.fallen.push({ name, from, to: Date.now() + DYING_MS });
	}

	async #daemon(name)
	{
		const from = Date.now();

		await this.rig.daemon(name).kill("SIGKILL");
		this.#note(name, from);
		await sleep(this.random() * 300);
		await this.rig.daemon(name).start();
	}

	#process(name, list)
	{
		const one = this.#pick(list), from = Date.now();

		if (!one)
			return;
		try {
			process.kill(one.pid, "SIGKILL");
			this.#note(name, from);
		} catch {
			/* it has ended by itself */
		}
	}

	async #backend()
	{
		const pid = Number(await this.rig.postgres.sql("SELECT pid FROM pg_stat_activity WHERE usename LIKE 'stead%' ORDER BY random() LIMIT 1")
			.catch(() => ""));

		if (pid > 0)
			this.#process("PostgreSQL", [{ pid }]);
	}

	#victims = {
		authd: () => this.#daemon("authd"),
		sessiond: () => this.#daemon("sessiond"),
		streamd: () => this.#daemon("streamd"),
		botd: () => this.#daemon("botd"),
		launcher: () => this.#process("launcher", this.rig.launchers()),
		Chromium: () => this.#process("Chromium", this.rig.browsers()),
		PostgreSQL: async () => {
			const from = Date.now();

			if (this.random() < 0.5)
				return this.#backend(); /* which takes all others with it */
			await this.rig.postgres.kill();
			this.#note("PostgreSQL", from);
			return this.rig.postgres.start();
		},
	};

	/*
	 * Either just as the site has been asked to book, or at any time: after a few lists have been read, so that a machine that
	 * is busy is not killed faster than it works.
	 */
	async #moment()
	{
		const name = this.random() < 0.5 ? "asked" : "lists";
		const { counts } = await this.rig.sites.control(`/wait?count=${name}&at_least=0`);
		const more = name === "asked" ? 1 : 1 + Math.floor(this.random() * 6);

		await this.rig.sites.control(`/wait?count=${name}&at_least=${counts[name] + more}&timeout_ms=${STALL_MS}`);
		return sleep(this.random() * (name === "asked" ? 250 : 1500));
	}

	async burn()
	{
		while (!this.#over) {
			await this.#moment();
			const name = this.#pick(Object.keys(this.#victims));

			if (!this.#over)
				await this.#victims[name]();
		}
	}

	end()
	{
		this.#over = true;
	}
}

async function ask(rig, person, wish, i)
{
	const { building, floor, desk, date } = wish;
	const answer = await stubborn(async () => {
		const { status, body } = await person.call("POST", "/bookings", { key: `soak-${i}`, site: "desk", action: "book",
			inputs: { building, floor, desk, date } });

		if (status >= 200 && status < 300)
			return body.booking;
		assert.ok([0, 503, 504].includes(status), `${status} ${JSON.stringify(body)}`);
		throw new Error(JSON.stringify(body));
	}, `asking for ${desk} on ${date}`);

	wish.id = answer.id;
}

const rowsOf = (rig) => stubborn(async () => JSON.parse(await rig.postgres.sql(ROWS)), "reading the bookings");

function isOver(row)
{
	return row && ["done", "cancelled"].includes(row.state);
}

/* Asks for one after another, no more at once than people would; resolves when all have ended. */
async function bookAll(rig, people, wanted, { minutes, enough, tell })
{
	const begun = Date.now();
	let told = begun, all = wanted;

	for (let next = 0; ;) {
		if (Date.now() - begun > minutes * 60_000 || enough())
			all = wanted.slice(0, next);
		const rows = await rowsOf(rig);
		const open = (login) => all.filter((wish) => wish.login === login && wish.id && !isOver(rows[wish.id])).length;
		const lost = PEOPLE.find((login) => all.some((wish) => wish.login === login && rows[wish.id]?.state === "needs_sign_in"));

		assert.equal(lost, undefined, `the session of ${lost} was lost`);
		for (let room = true; room && next < all.length;) {
			room = open(all[next].login) < AT_ONCE;
			if (room)
				await ask(rig, people[all[next].login], all[next], next++);
		}
		const over = all.filter(({ id }) => id && isOver(rows[id])).length;

		if (over === all.length)
			return { rows, all };
		if (Date.now() - told > TOLD_MS) {
			told = Date.now();
			tell(`${over} of ${all.length} have ended after ${Math.round((told - begun) / 1000)} s`);
		}
		await sleep(300);
	}
}

/* Once the dark list can be read, a look at each finds it. */
async function lightUp(rig, people, all, rows)
{
	const dark = all.filter((wish) => wish.dark && rows[wish.id].outcome === "unconfirmed");

	await rig.sites.control("/knobs", { mine_dark: "" });
	for (const { login, id } of dark) {
		await people[login].must("POST", `/bookings/${id}/look`, {});
		await people[login].bookingIs(id, ["done"], 120_000);
	}
	return (await Promise.all(dark.map(async ({ login, id }) => (await people[login].booking(id)).outcome)))
		.filter((outcome) => outcome !== "booked").length;
}

/*
 * confirm_ms: the recipe's; tell(sentence): how far it is; enough(): no more shall be asked for. Resolves to what was counted of
 * those that were.
 */
export async function bookUnderFire({ count, minutes = Infinity, seed = Date.now(), confirm_ms = 60_000, tell = () => {},
	enough = () => false })
{
	const rig = await startRig({ recipe: quick(confirm_ms), settings: SETTINGS });
	const fire = new Fire(rig, randomOf(seed));
	const begun = Date.now();

	try {
		const wanted = wishes(count), people = {};

		assert.equal(wanted.length, count);
		for (const login of PEOPLE) {
			people[login] = await rig.login(login);
			await people[login].savedSignIn();
		}
		await rig.sites.control("/knobs", { mine_dark: day(DARK_DAY) });
		const burning = fire.burn();
		const { rows, all } = await bookAll(rig, people, wanted, { minutes, enough,
			tell: (words) => tell(`${words}; killed: ${JSON.stringify(fire.kills)}`) });

		fire.end();
		await burning;
		const found = judge(all, rows, await rig.sites.control("/state"), fire.fallen);
		const still_dark = await lightUp(rig, people, all, rows);

		return { ...found, still_dark, kills: fire.kills, seconds: Math.round((Date.now() - begun) / 1000), seed };
	} finally {
		fire.end();
		await rig.stop();
	}
}

export function assertSound({ wrong, unconfirmed_unsent: unsent, still_dark, bookings })
{
	assert.deepEqual(wrong, []);
	assert.equal(still_dark, 0, "what stands in the list again was to be found by a look");
	assert.ok(unsent <= Math.ceil(bookings * MOST_UNSENT), `${unsent} of ${bookings} are unconfirmed without having been submitted`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
	const [count = "2000", minutes = "Infinity", seed = String(Date.now() % 1e6)] = process.argv.slice(2);
	let enough = false;

	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
		process.on(signal, () => {
			console.log(`${signal}: no more are asked for; those that were are waited for.`);
			enough = true;
		});
	const found = await bookUnderFire({ count: Number(count), minutes: Number(minutes), seed: Number(seed),
		tell: (words) => console.log(words), enough: () => enough });

	console.log(JSON.stringify(found));
	assertSound(found);
	console.log("Sound.");
}
