/*
 * Plans: what their instants are where clocks are set, that each is dealt with once whoever is killed, and what becomes of those that
 * passed while nobody was there. The real botd and PostgreSQL; the bookings that they ask for wait, for there is no session.
 */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";

import { becomes } from "../e2e/waits.mjs";
import { startPostgres } from "../lib/postgres.mjs";
import { RpcClient } from "../lib/rpc.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const PROGRAMS = process.env.STEAD_PROGRAMS ?? join(ROOT, "build/plain/bin");
const DAY_MS = 86_400_000;
const LIMIT_MS = 60_000;
const LATE_MS = 60_000;
const EVERY_DAY = "{1,2,3,4,5,6,7}";

let pg, home, made = 0;

before(async () => {
	pg = await startPostgres();
	home = await mkdtemp("/tmp/stead-plans-");
});
after(async () => {
	await pg?.stop();
	await rm(home, { recursive: true, force: true });
});

/* The instants of a plan, in UTC: [day, instant, shift]. */
async function instants({ days = EVERY_DAY, times, first, last = null, zone, since, most = 5 })
{
	const rows = await pg.sql(`SELECT day, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS'), coalesce(shift, '')
		FROM jobs.plan_instants('${days}', '{${times}}', '${first}', ${last ? `'${last}'` : "NULL"}, '${zone}', '${since}', ${most})`);

	return rows.split("\n").filter(Boolean).map((row) => row.split("|"));
}

describe("the instants of a plan", () => {
	const at = async (wish) => (await instants(wish)).map(([, instant]) => instant);

	test("a time that the clocks leave out is at the same distance after the gap's start, and said", async () => {
		assert.deepEqual(await instants({ times: "02:30", first: "2026-03-28", last: "2026-03-30", zone: "Europe/Berlin", since: "2026-03-01Z" }),
			[["2026-03-28", "2026-03-28T01:30:00", ""], ["2026-03-29", "2026-03-29T01:30:00", "gap"], ["2026-03-30", "2026-03-30T00:30:00", ""]]);
		/* Half an hour, on an island. */
		assert.deepEqual(await instants({ times: "02:10", first: "2026-10-04", last: "2026-10-04", zone: "Australia/Lord_Howe", since: "2026-10-01Z" }),
			[["2026-10-04", "2026-10-03T15:40:00", "gap"]]);
		/* A whole day that the calendar left out: its run is the next day's. */
		assert.deepEqual(await instants({ times: "08:00", first: "2011-12-29", last: "2011-12-31", zone: "Pacific/Apia", since: "2011-12-01Z" }),
			[["2011-12-29", "2011-12-29T18:00:00", ""], ["2011-12-31", "2011-12-30T18:00:00", ""]]);
		/* At midnight. */
		assert.deepEqual(await instants({ times: "00:15", first: "2018-11-04", last: "2018-11-04", zone: "America/Sao_Paulo", since: "2018-11-01Z" }),
			[["2018-11-04", "2018-11-04T03:15:00", "gap"]]);
	});

	test("a time that they show twice is the first of both, once, and said", async () => {
		assert.equal(await pg.sql("SELECT timestamp '2026-10-25 02:30' AT TIME ZONE 'Europe/Berlin' = timestamptz '2026-10-25T01:30Z'"), "t",
			"PostgreSQL by itself takes the second");
		assert.deepEqual(await instants({ times: "02:30", first: "2026-10-24", last: "2026-10-26", zone: "Europe/Berlin", since: "2026-10-01Z" }),
			[["2026-10-24", "2026-10-24T00:30:00", ""], ["2026-10-25", "2026-10-25T00:30:00", "doubled"], ["2026-10-26", "2026-10-26T01:30:00", ""]]);
		assert.deepEqual(await instants({ times: "01:40", first: "2026-04-05", last: "2026-04-05", zone: "Australia/Lord_Howe", since: "2026-04-01Z" }),
			[["2026-04-05", "2026-04-04T14:40:00", "doubled"]]);
		/* In Dublin what is called standard time is summer's. */
		assert.deepEqual(await instants({ times: "01:30", first: "2026-10-25", last: "2026-10-25", zone: "Europe/Dublin", since: "2026-10-01Z" }),
			[["2026-10-25", "2026-10-25T00:30:00", "doubled"]]);
		/* Two hours, at a station. */
		assert.deepEqual(await instants({ times: "01:30", first: "2026-10-25", last: "2026-10-25", zone: "Antarctica/Troll", since: "2026-10-01Z" }),
			[["2026-10-25", "2026-10-24T23:30:00", "doubled"]]);
	});

	test("two times that a gap brings to the same instant are one; those that it turns around are in order", async () => {
		assert.deepEqual(await instants({ times: "02:30,03:00,03:30", first: "2026-03-29", last: "2026-03-29", zone: "Europe/Berlin",
			since: "2026-03-01Z" }), [["2026-03-29", "2026-03-29T01:00:00", ""], ["2026-03-29", "2026-03-29T01:30:00", ""]]);
	});

	test("whatever the session's own time zone is", async () => {
		const sql = (zone) => pg.sql(`SET TimeZone = '${zone}'; SELECT string_agg(extract(epoch FROM at)::bigint::text || coalesce(shift, ''), ' ')
			FROM jobs.plan_instants('${EVERY_DAY}', '{02:30}', '2026-10-24', '2026-10-26', 'Europe/Berlin', '2026-10-01Z', 9)`);
		const utc = await sql("UTC");

		for (const zone of ["Europe/Berlin", "America/New_York", "Pacific/Kiritimati"])
			assert.equal(await sql(zone), utc);
	});

	test("days of the week, the year's end, a leap day", async () => {
		assert.deepEqual(await at({ days: "{1,4}", times: "08:00", first: "2026-12-24", zone: "Europe/Madrid", since: "2026-12-20Z" }),
			["2026-12-24T07:00:00", "2026-12-28T07:00:00", "2026-12-31T07:00:00", "2027-01-04T07:00:00", "2027-01-07T07:00:00"]);
		assert.deepEqual(await at({ times: "23:59:59", first: "2028-02-28", last: "2028-03-01", zone: "UTC", since: "2028-01-01Z" }),
			["2028-02-28T23:59:59", "2028-02-29T23:59:59", "2028-03-01T23:59:59"]);
		assert.deepEqual(await at({ days: "{2}", times: "12:00", first: "2028-02-29", last: "2028-02-29", zone: "UTC", since: "2028-01-01Z" }),
			["2028-02-29T12:00:00"]);
		assert.deepEqual(await at({ days: "{3}", times: "12:00", first: "2028-02-29", last: "2028-02-29", zone: "UTC", since: "2028-01-01Z" }), []);
	});

	test("zones with odd offsets, and on the other side of the date line", async () => {
		for (const [zone, utc] of [["Asia/Kathmandu", "2026-05-01T02:15:00"], ["Asia/Kolkata", "2026-05-01T02:30:00"],
			["Pacific/Chatham", "2026-04-30T19:15:00"], ["Pacific/Kiritimati", "2026-04-30T18:00:00"], ["Pacific/Niue", "2026-05-01T19:00:00"]])
			assert.deepEqual(await at({ times: "08:00", first: "2026-05-01", last: "2026-05-01", zone, since: "2026-04-01Z" }), [utc], zone);
	});

	test("those behind an instant, to the microsecond, however far on", async () => {
		const plan = { days: "{5}", times: "08:00,20:00", first: "2020-01-01", zone: "UTC" };

		assert.deepEqual(await at({ ...plan, since: "2026-01-02T08:00:00Z", most: 2 }), ["2026-01-02T20:00:00", "2026-01-09T08:00:00"]);
		assert.deepEqual(await at({ ...plan, since: "2026-01-02T07:59:59.999999Z", most: 1 }), ["2026-01-02T08:00:00"]);
		assert.equal((await at({ ...plan, since: "2026-01-01Z", most: 500 })).length, 500);
		assert.deepEqual(await at({ ...plan, first: "2031-07-01", since: "2026-01-01Z", most: 1 }), ["2031-07-04T08:00:00"]);
	});
});

/* A botd that is alone with PostgreSQL, as authd calls it for a person. */
class Botd {
	constructor(set)
	{
		this.dir = join(home, `b${++made}`);
		this.set = { database: pg.as("stead_botd"), recipes: join(this.dir, "sites"), front_user: "self", stream_user: "self",
			control_user: "self", plan_late_ms: LATE_MS,
			poll_ms: 2 * LIMIT_MS, ...set }; /* so late that what comes due is not found by a poll */
		this.log = [];
	}

	async recipe(change = () => {})
	{
		const desk = JSON.parse(await readFile(join(ROOT, "tests/sites/desk.json"), "utf8"));

		change(desk);
		await mkdir(join(this.dir, "sites"), { recursive: true });
		await writeFile(join(this.dir, "sites/desk.json"), JSON.stringify(desk));
		return this;
	}

	async start()
	{
		const run = join(this.dir, "run");
		const args = ["--socket-dir", run, "--log-level", "info", ...Object.entries(this.set).flatMap(([k, v]) => ["--set", `${k}=${v}`])];

		await mkdir(run, { recursive: true });
		await chmod(run, 0o755);
		this.child = spawn(join(PROGRAMS, "botd"), args, { env: { PATH: process.env.PATH }, stdio: ["ignore", "ignore", "pipe"] });
		this.exited = once(this.child, "exit");
		createInterface({ input: this.child.stderr }).on("line", (line) => this.log.push(line));
		await becomes(() => this.log.some((line) => / info: ready/.test(line)), LIMIT_MS, () => `botd is not ready:\n${this.log.join("\n")}`, 20);
		this.client = await RpcClient.open(join(run, "botd/front"));
		this.control = await RpcClient.open(join(run, "botd/control"));
		return this;
	}

	async stop(signal = "SIGTERM")
	{
		this.client?.close();
		this.control?.close();
		this.child.kill(signal);
		const [code] = await this.exited;

		if (code === null || code === 0)
			this.log.length = 0; /* the next start says anew that it is ready */
		return code;
	}

	async steadctl(...words)
	{
		return (await promisify(execFile)(join(PROGRAMS, "steadctl"), ["--socket-dir", join(this.dir, "run"), ...words])).stdout;
	}

	as(user)
	{
		return (method, params = {}) => this.client.call(method, params, { for: { user, name: `p${user}`, login: "0123456789abcdef",
			ip: "192.0.2.1", scopes: "read act" } });
	}
}

/* Some time from now on, as a plan at a site in UTC has it. */
const clock = (ms) => new Date(Date.now() + ms).toISOString().slice(11, 19);
const dayOf = (ms) => new Date(ms).toISOString().slice(0, 10);
const WISH = { site: "desk", action: "book", inputs: { date: "+14", desk: "D-201" } };

let keys = 0;

async function plan(as, schedule, wish = {})
{
	return (await as("plan_create", { key: `k${++keys}`, ...WISH, ...wish, schedule })).plan;
}

const history = async (as, id) => (await as("plan_show", { id })).past;
const became = (past) => past.map((run) => run.became);

/* As if the plan had last been seen to before: its next instant is so many days ago. */
async function goBack(id, days)
{
	await pg.sql(`UPDATE jobs.plans SET first_day = first_day - ${days + 1}, next_at = (SELECT min(at) FROM jobs.plan_instants(days, times,
		first_day - ${days + 1}, last_day, time_zone, now() - interval '${days} d', 1)) WHERE id = ${id}`);
}

describe("a plan", { timeout: 300_000 }, () => {
	let botd, user = 100, as;

	before(async () => {
		botd = await (await new Botd().recipe()).start();
	});
	after(async () => botd && assert.equal(await botd.stop(), 0, botd.log.join("\n")));

	/* Each test has a person of its own. */
	const person = () => {
		as = botd.as(++user);
		return as;
	};

	test("that comes due asks for its booking, for the day that is so many days after the run, once", async () => {
		person();
		const { id, next_at_ms: at } = await plan(as, { times: [clock(3000)] });
		const [run] = await becomes(async () => (await history(as, id)).length && history(as, id), LIMIT_MS, "the plan did not run", 50);
		const { booking } = await as("booking_show", { id: run.booking });

		assert.equal(run.became, "asked");
		assert.equal(booking.plan, id);
		assert.equal(run.at_ms, at);
		assert.deepEqual(booking.inputs, { date: dayOf(at + 14 * DAY_MS), building: "1", floor: "2", desk: "D-201" });
		assert.match((await as("booking_log", { id: run.booking })).lines[0].text, new RegExp(`^Asked for by your plan ${id}, the run of \\w+day, `));
		const shown = await as("plan_show", { id });

		assert.equal(shown.plan.next_at_ms, at + DAY_MS);
		assert.deepEqual(shown.next.map(({ at_ms }) => at_ms), [1, 2, 3, 4, 5].map((n) => at + n * DAY_MS));
		assert.match(shown.next[0].when, /^\w+day, \d+ \w+ \d{4}, \d\d:\d\d/);
		assert.match(shown.next[0].title, /^Desk D-201 on /);
	});

	test("is told in words, and the same key makes it once", async () => {
		person();
		const ask = (schedule) => as("plan_create", { key: "one", ...WISH, schedule });
		const { plan: first } = await ask({ days: ["fri", "mon"], times: ["17:30", "08:00"], last: "2999-12-31" });

		assert.equal(first.when, "Every Monday and Friday at 08:00 and 17:30, until Tuesday, 31 December 2999");
		assert.equal(first.title, "Book a desk: D-201");
		assert.equal((await ask({ days: ["mon", "fri"], times: ["08:00", "17:30"], last: "2999-12-31" })).plan.id, first.id);
		await assert.rejects(ask({ days: ["mon"], times: ["08:00"] }), { code: "already", field: "key" });
		assert.equal((await as("plan_list")).plans.length, 1);
		assert.equal((await botd.as(99)("plan_list")).plans.length, 0, "what is another's is not shown");
		await assert.rejects(botd.as(99)("plan_show", { id: first.id }), { code: "not_found" });
		await assert.rejects(botd.as(99)("plan_delete", { id: first.id }), { code: "not_found" });
	});

	test("is refused, with the field, when it makes no sense", async () => {
		person();
		const once = { first: "2999-06-01", last: "2999-06-01" };

		for (const [schedule, field, wish] of [[{ times: ["8:00"] }, "schedule.times"], [{ times: ["24:00"] }, "schedule.times"],
			[{ times: ["08:00", "08:14"] }, "schedule.times"], [{ times: ["23:55", "00:05"] }, "schedule.times"],
			[{ times: ["08:00"], days: ["day"] }, "schedule.days"], [{ times: ["08:00"], first: "2027-02-29" }, "schedule.first"],
			[{ times: ["08:00"], first: "2999-01-02", last: "2999-01-01" }, "schedule.last"],
			[{ times: ["08:00"], first: "2020-01-01", last: "2020-01-01" }, "schedule"],
			[{ times: ["08:00"], ...once, days: ["mon"] }, "schedule"], /* a Saturday */
			[{ times: ["08:00"] }, "inputs", { inputs: { date: "2999-06-02", desk: "D-1" } }],
			[{ times: ["08:00"] }, "inputs.date", { inputs: { date: "+29", desk: "D-1" } }],
			[{ times: ["08:00"] }, "inputs.desk", { inputs: { date: "+1" } }],
			[{ times: ["08:00"], ...once }, "inputs.date", { inputs: { date: "2999-05-31", desk: "D-1" } }],
			[{ times: ["08:00"] }, "site", { site: "none" }], [{ times: ["08:00"] }, "action", { action: "none" }]]) {
			const wrong = JSON.stringify({ schedule, ...wish });

			await assert.rejects(plan(as, schedule, wish), (error) => {
				assert.deepEqual([error.code, error.field], ["invalid", field], `${wrong}: ${error.message}`);
				return true;
			});
		}
		const one = await plan(as, { times: ["08:00"], ...once }, { inputs: { date: "2999-06-20", desk: "D-1" } });

		assert.equal(one.when, "Once, on Saturday, 1 June 2999 at 08:00");
	});

	test("shows what it would do before it is kept", async () => {
		person();
		const got = await as("plan_preview", { ...WISH, schedule: { days: ["mon"], times: ["08:00"] } });

		assert.equal(got.when, "Every Monday at 08:00");
		assert.equal(got.next.length, 5);
		assert.ok(got.next.every(({ when, title }) => /^Monday, /.test(when) && /^Desk D-201 on Mon /.test(title)));
		assert.equal((await as("plan_list")).plans.length, 0);
	});

	test("leaves out a day, tells it, and takes it in again", async () => {
		person();
		const { id, next_at_ms: at, next_day: day } = await plan(as, { times: [clock(-3_600_000)] });
		const { plan: skipped } = await as("plan_skip", { id, day });

		assert.equal(skipped.next_at_ms, at + DAY_MS);
		const { next } = await as("plan_show", { id });

		assert.deepEqual(next.map((run) => run.skipped ?? false), [true, false, false, false, false, false]);
		assert.equal((await as("plan_skip", { id, day, undo: true })).plan.next_at_ms, at);
		await assert.rejects(as("plan_skip", { id, day: dayOf(Date.now() - 3 * DAY_MS) }), { code: "invalid", field: "day" });
		await as("plan_skip", { id, day });
		await pg.sql(`UPDATE jobs.plans SET next_at = now() - interval '1 s', skips = ARRAY[(now() AT TIME ZONE 'UTC')::date],
			times = ARRAY[(now() AT TIME ZONE 'UTC')::time(0)], first_day = first_day - 2 WHERE id = ${id}`);
		assert.deepEqual(became(await becomes(async () => (await history(as, id)).length && history(as, id), LIMIT_MS, "nothing is told", 50)), ["skipped"]);
	});

	test("that is paused tells what it leaves out, and goes on by itself or when it is told to", async () => {
		person();
		const { id } = await plan(as, { times: [clock(3000)] });

		assert.equal((await as("plan_pause", { id })).plan.state, "paused");
		assert.deepEqual((await as("plan_show", { id })).next, []);
		const [run] = await becomes(async () => (await history(as, id)).length && history(as, id), LIMIT_MS, "nothing is told", 50);

		assert.deepEqual([run.became, run.reason], ["paused", "The plan was paused."]);
		const until = dayOf(Date.now() + 10 * DAY_MS);
		const { plan: paused } = await as("plan_pause", { id, until });

		assert.equal(paused.resumes_at_ms, Date.parse(until));
		assert.ok(paused.next_at_ms >= Date.parse(until));
		await assert.rejects(as("plan_pause", { id, until: "2020-01-01" }), { code: "invalid", field: "until" });
		const { plan: on } = await as("plan_resume", { id });

		assert.equal(on.state, "on");
		assert.ok(on.next_at_ms < Date.now() + DAY_MS);
	});

	test("is changed, and what had come due before is dealt with as it was", async () => {
		person();
		const { id } = await plan(as, { times: ["12:00"], missed: "skip" });
		const lock = pg.session();

		/* Due, and held so that no clock sees to it before the change asks. */
		await lock.sql(`BEGIN; UPDATE jobs.plans SET next_at = next_at - interval '3 d', first_day = first_day - 5 WHERE id = ${id}`);
		const changed = as("plan_change", { id, schedule: { days: ["wed"], times: ["09:00"] }, inputs: { date: "+7", desk: "D-202" } });

		await setTimeout(300);
		await lock.sql("COMMIT");
		const { plan: now } = await changed;

		await lock.end();
		assert.deepEqual([now.when, now.title], ["Every Wednesday at 09:00", "Book a desk: D-202"]);
		assert.ok((await history(as, id)).length >= 3, "the three that had passed are told");
		assert.equal(new Date(now.next_at_ms).getUTCDay(), 3);
	});

	test("whose booking waits asks for no second one of the same, and says so; of another day it does", async () => {
		person();
		const soon = Date.now() + 3000;
		const { id } = await plan(as, { times: [clock(3000)] });
		const again = async () => {
			const before = (await history(as, id)).length;

			await pg.sql(`UPDATE jobs.plan_runs SET at = at - interval '1 h' WHERE plan_id = ${id};
				UPDATE jobs.plans SET next_at = to_timestamp(${Math.floor(soon / 1000)}) WHERE id = ${id}`);
			return becomes(async () => (await history(as, id)).length > before && history(as, id), LIMIT_MS, "it did not run again", 50);
		};

		await becomes(async () => (await history(as, id)).length, LIMIT_MS, "the plan did not run", 50);
		const [first] = await history(as, id);

		await pg.sql(`UPDATE jobs.jobs SET key = 'other' WHERE id = ${first.booking}`); /* else it is the same run's */
		const [second] = await again();

		assert.equal(second.became, "overlap");
		assert.match(second.reason, new RegExp(`^Booking ${first.booking}, of a run before, asks for the same and has not ended`));
		await as("plan_change", { id, inputs: { date: "+13", desk: "D-201" } });
		const [third] = await again();

		assert.ok(third.booking && third.booking !== first.booking);
	});

	test("whose recipe or action has gone says so, and goes on when it is back", async () => {
		person();
		const { id } = await plan(as, { times: [clock(-7_200_000)] });
		const due = () => pg.sql(`UPDATE jobs.plan_runs SET at = at - interval '1 h' WHERE plan_id = ${id};
			UPDATE jobs.plans SET times = ARRAY[(now() AT TIME ZONE 'UTC')::time(0)],
			next_at = date_trunc('second', now()), first_day = first_day - 2 WHERE id = ${id}`);
		const runs = (n) => becomes(async () => (await history(as, id)).length === n && history(as, id), LIMIT_MS, `it did not run ${n} times`, 50);

		await botd.recipe((desk) => {
			desk.actions = { other: desk.actions.book };
		});
		await botd.control.call("botd_reload");
		assert.match((await as("plan_show", { id })).plan.trouble, /^The recipe of Deskwise has no action "book" any more; the plan goes on/);
		await due();
		assert.match((await runs(1))[0].reason, /no action "book" any more/);
		await rm(join(botd.dir, "sites/desk.json"));
		await botd.control.call("botd_reload");
		await due();
		assert.match((await runs(2))[0].reason, /^Stead has no recipe for desk any more/);
		await botd.recipe();
		await botd.control.call("botd_reload");
		assert.match((await as("plan_show", { id })).plan.trouble, /: Stead has no recipe for desk any more/, "the last run's end is told");
		await due();
		assert.ok((await runs(3))[0].booking);
		assert.equal((await as("plan_show", { id })).plan.trouble, undefined);
	});

	test("is deleted with its history; what it has asked for stays", async () => {
		person();
		const { id } = await plan(as, { times: [clock(3000)] });
		const [{ booking }] = await becomes(async () => (await history(as, id)).length && history(as, id), LIMIT_MS, "the plan did not run", 50);

		await as("plan_delete", { id });
		await assert.rejects(as("plan_show", { id }), { code: "not_found" });
		assert.equal(await pg.sql(`SELECT count(*) FROM jobs.plan_runs WHERE plan_id = ${id}`), "0");
		assert.equal((await as("booking_show", { id: booking })).booking.id, booking);
	});

	test("is the administrator's to see, pause and delete, whoever's it is", async () => {
		person();
		const { id } = await plan(as, { times: ["08:00"] });

		assert.ok((await botd.control.call("plan_list")).plans.some((one) => one.id === id && one.user === user));
		assert.equal((await botd.control.call("plan_pause", { id })).plan.state, "paused");
		assert.equal((await botd.control.call("plan_resume", { id })).plan.state, "on");
		assert.match(await botd.steadctl("plan", "list"), /Book a desk: D-201 +Every day at 08:00/);
		const { next_day: day } = (await as("plan_show", { id })).plan;

		await botd.steadctl("plan", "skip", String(id), day);
		const shown = await botd.steadctl("plan", "show", String(id));

		assert.match(shown, /^state +on$/m);
		assert.match(shown, /^inputs +date \+14, desk D-201$/m);
		assert.match(shown, /Desk D-201 on .* yes/);
		await botd.steadctl("plan", "delete", String(id));
		await assert.rejects(botd.control.call("plan_show", { id }), { code: "not_found" });
	});
});

describe("what is down", { timeout: 300_000 }, () => {
	const running = [];
	const begin = async (set) => {
		const botd = await (await new Botd(set).recipe()).start();

		running.push(botd);
		return botd;
	};

	afterEach(() => Promise.all(running.splice(0).map((botd) => botd.stop("SIGKILL"))));

	/* Three daily instants pass while botd is away. */
	async function missedThree(user, missed)
	{
		const botd = await begin(), as = botd.as(user);
		const { id } = await plan(as, { times: [clock(-3_600_000)], missed });

		await botd.stop("SIGKILL");
		await goBack(id, 3);
		await pg.sql("UPDATE jobs.plan_clock SET seen_at = now() - interval '3 d 1 h'");
		await botd.start();
		return { as, id, past: await becomes(async () => (await history(as, id)).length === 3 && history(as, id), LIMIT_MS,
			"three runs were to be told", 50) };
	}

	test("run late: the newest is, the others are told, with when Stead was down", async () => {
		const { as, id, past } = await missedThree(201, "run_late");

		assert.deepEqual(became(past), ["late", "missed", "missed"]);
		assert.match(past[0].reason, /^Stead, or its database, was down from \w+day, .* until \w+day, .*; so it was run late\.$/);
		for (const run of past.slice(1))
			assert.match(run.reason, /^Stead, or its database, was down from .* until .*; a later run took its place\.$/);
		const { booking } = await as("booking_show", { id: past[0].booking });

		assert.equal(booking.inputs.date, dayOf(past[0].at_ms + 14 * DAY_MS), "the day goes by the run's, not by when it was made up for");
		assert.equal((await as("plan_show", { id })).plan.trouble, undefined);
	});

	test("skip: none is run, all are told", async () => {
		const { as, id, past } = await missedThree(202, "skip");

		assert.deepEqual(became(past), ["missed", "missed", "missed"]);
		assert.match(past[0].reason, /this plan skips what was missed\.$/);
		assert.equal((await as("plan_show", { id })).plan.trouble, undefined);
		assert.equal((await as("booking_list")).bookings.length, 0);
	});

	test("tell: none is run, and the plan says so at its head until its next run", async () => {
		const { as, id, past } = await missedThree(203, "tell");

		assert.deepEqual(became(past), ["missed", "missed", "missed"]);
		assert.match((await as("plan_show", { id })).plan.trouble, /^\w+day, .*: Stead, or its database, was down from .*only tells what was missed\.$/);
	});

	test("what was left out or paused meanwhile is not what is run late", async () => {
		const botd = await begin(), as = botd.as(204);
		const { id } = await plan(as, { times: [clock(-3_600_000)] });

		await botd.stop("SIGKILL");
		await goBack(id, 3);
		await pg.sql(`UPDATE jobs.plans SET skips = ARRAY[(now() AT TIME ZONE 'UTC' - interval '1 h')::date],
			paused_until = now() - interval '2 d' WHERE id = ${id}`);
		await botd.start();
		const past = await becomes(async () => (await history(as, id)).length === 3 && history(as, id), LIMIT_MS, "three were to be told", 50);

		assert.deepEqual(became(past), ["skipped", "late", "paused"]);
	});

	test("a weekly plan survives restarts every day, and a kill at its instant", async () => {
		let botd = await begin(), as = botd.as(205);
		const { id, next_at_ms: at } = await plan(as, { days: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"].slice(new Date().getUTCDay())
			.slice(0, 1), times: [clock(6000)] });

		for (let day = 0; day < 6; day++) {
			await botd.stop(day % 2 ? "SIGKILL" : "SIGTERM");
			await botd.start();
			as = botd.as(205);
		}
		await setTimeout(Math.max(0, at - Date.now() - 5));
		await botd.stop("SIGKILL");
		await botd.start();
		as = botd.as(205);
		const past = await becomes(async () => (await history(as, id)).length && history(as, id), LIMIT_MS, "it never ran", 50);

		assert.equal(past.length, 1);
		assert.ok(past[0].booking);
		assert.equal((await as("booking_list")).bookings.length, 1);
		assert.equal((await as("plan_show", { id })).plan.next_at_ms, at + 7 * DAY_MS);
	});

	test("two botd, and more plans at one instant than are looked at together: each runs once", async () => {
		const PLANS = 120;
		const [one, two] = await Promise.all([begin(), begin()]);
		const users = [206, 215], persons = [one.as(206), two.as(215)];
		const made = async () => (await Promise.all(persons.map((as) => as("booking_list", { limit: 500 })))).flatMap(({ bookings }) => bookings).length;

		for (let i = 0; i < PLANS; i++)
			await plan(persons[i % 2], { times: ["12:00"] }, { inputs: { date: "+14", desk: `D-${i}` } });
		await pg.sql(`UPDATE jobs.plans SET times = ARRAY[(t AT TIME ZONE 'UTC')::time], next_at = t, first_day = first_day - 1
			FROM (SELECT date_trunc('second', now()) + interval '2 s' AS t) t WHERE user_id IN (${users})`);
		await becomes(async () => await made() >= PLANS, LIMIT_MS, "not all have run", 100);
		await setTimeout(1000);
		assert.equal(await made(), PLANS);
		assert.equal(await pg.sql(`SELECT count(*), count(DISTINCT plan_id) FROM jobs.plan_runs WHERE user_id IN (${users})`), `${PLANS}|${PLANS}`);
	});

	test("a clock that is set back, or an old row, makes no second booking", async () => {
		const botd = await begin(), as = botd.as(207);
		const { id, next_at_ms: at } = await plan(as, { times: [clock(3000)] });

		await becomes(async () => (await history(as, id)).length, LIMIT_MS, "it did not run", 50);
		await pg.sql(`UPDATE jobs.plans SET next_at = to_timestamp(${at / 1000}) WHERE id = ${id}`);
		await becomes(async () => await pg.sql(`SELECT next_at > now() FROM jobs.plans WHERE id = ${id}`) === "t", LIMIT_MS, "it does not go on", 50);
		assert.equal((await as("booking_list")).bookings.length, 1);
		assert.equal((await history(as, id)).length, 1);
	});

	test("PostgreSQL is away at the instant, and killed in the middle of things: it is run once, when it is back", async () => {
		const botd = await begin(), as = botd.as(208);
		const { id, next_at_ms: at } = await plan(as, { times: [clock(4000)] });

		await setTimeout(Math.max(0, at - Date.now() - 2));
		await pg.kill();
		await setTimeout(500);
		await pg.start();
		const past = await becomes(async () => {
			const got = await history(as, id).catch(() => []);

			return got.length && got;
		}, LIMIT_MS, "it did not run", 100);

		assert.equal(past.length, 1);
		assert.ok(past[0].booking);
		assert.equal((await as("booking_list")).bookings.length, 1);
	});

	test("PostgreSQL is lost in the COMMIT, which was not made: it is run once, afterwards", async () => {
		const botd = await begin(), as = botd.as(211);
		const { id } = await plan(as, { times: [clock(3000)] });

		await pg.sql(`CREATE FUNCTION public.die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
			CREATE CONSTRAINT TRIGGER die AFTER INSERT ON jobs.plan_runs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.die()`);
		await becomes(() => botd.log.some((line) => /not every plan that is due/.test(line)), LIMIT_MS, "no COMMIT was lost", 50);
		assert.equal((await as("booking_list")).bookings.length, 0);
		await pg.sql("DROP FUNCTION public.die() CASCADE");
		const past = await becomes(async () => (await history(as, id)).length && history(as, id), LIMIT_MS, "it did not run", 50);

		assert.deepEqual(became(past), ["asked"]);
		assert.equal((await as("booking_list")).bookings.length, 1);
	});

	test("and which was made, but its answer was lost: it is run once", async () => {
		const dir = join(home, "proxy");
		let lost = 0;
		/* Between botd and PostgreSQL: keeps back that a transaction which moved a plan on was committed, and hangs up. */
		const proxy = createServer((client) => {
			const server = connect(join(pg.dir, ".s.PGSQL.5432"));
			let armed = false;

			client.on("data", (data) => {
				armed ||= !lost && data.includes("jobs.plan_runs") && data.includes("OFFSET 500");
				server.write(data);
			});
			server.on("data", (data) => {
				if (!armed || !data.includes("COMMIT\0"))
					return client.write(data);
				lost++;
				server.destroy();
				return client.destroy();
			});
			for (const [one, other] of [[client, server], [server, client]])
				one.on("error", () => {}).on("close", () => other.destroy());
		});

		await mkdir(dir);
		proxy.listen(join(dir, ".s.PGSQL.5432"));
		await once(proxy, "listening");
		const botd = await begin({ database: pg.as("stead_botd").replace(pg.dir, dir) }), as = botd.as(212);
		const { id, next_at_ms: at } = await plan(as, { times: [clock(3000)] });
		const past = await becomes(async () => lost && (await history(as, id)).length && history(as, id), LIMIT_MS, "it did not run", 50);

		await becomes(async () => (await as("plan_show", { id })).plan.next_at_ms === at + DAY_MS, LIMIT_MS, "it does not go on", 50);
		await setTimeout(1500);
		assert.equal(lost, 1);
		assert.deepEqual(became(past), ["asked"]);
		assert.equal((await as("booking_list")).bookings.length, 1);
		await running.pop().stop("SIGKILL");
		proxy.close();
	});

	test("a plan that cannot be seen to keeps no other back, and is said once", async () => {
		const botd = await begin(), as = botd.as(209), times = [clock(3000)];
		const bad = await plan(as, { times }, { inputs: { date: "+1", desk: "BAD" } });
		const good = await plan(as, { times }, { inputs: { date: "+1", desk: "GOOD" } });

		await pg.sql(`CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			RAISE EXCEPTION 'the test refuses this' USING ERRCODE = 'check_violation'; END $$;
			CREATE TRIGGER refuse BEFORE INSERT ON jobs.bookings FOR EACH ROW WHEN (NEW.inputs->>'desk' = 'BAD') EXECUTE FUNCTION public.refuse()`);
		try {
			await becomes(async () => (await history(as, good.id)).length, LIMIT_MS, "the other did not run", 50);
			await setTimeout(2500);
			assert.equal(botd.log.filter((line) => /not every plan that is due/.test(line)).length, 1);
			assert.equal((await history(as, bad.id)).length, 0);
		} finally {
			await pg.sql("DROP FUNCTION public.refuse() CASCADE");
		}
		assert.ok((await becomes(async () => (await history(as, bad.id)).length && history(as, bad.id), LIMIT_MS, "it did not run", 50))[0].booking);
	});

	test("one whose lane is held for long keeps no other back", async () => {
		const botd = await begin(), times = [clock(3000)], lock = pg.session();
		const held = await plan(botd.as(213), { times }), other = await plan(botd.as(214), { times });

		await lock.sql("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('213 desk', 0))");
		const [run] = await becomes(async () => {
			const past = await history(botd.as(214), other.id);

			return past.length && past;
		}, LIMIT_MS, "it did not run", 50);

		assert.ok(run.booking);
		assert.equal((await history(botd.as(213), held.id)).length, 0);
		assert.ok(Number(await pg.sql(`SELECT extract(epoch FROM written_at - at) FROM jobs.plan_runs WHERE plan_id = ${other.id}`)) < 4, "it waited for the other");
		await lock.sql("COMMIT");
		await lock.end();
		await becomes(async () => (await history(botd.as(213), held.id)).length, LIMIT_MS, "the one that was held did not run", 50);
	});

	test("who has as many as there may be is told", async () => {
		const botd = await begin({ most_plans: 2, most_waiting: 1 }), as = botd.as(210);

		await pg.sql("INSERT INTO jobs.queues (name, paused) VALUES ('desk', true)"); /* so that what waits goes on waiting */
		const one = await plan(as, { times: [clock(3000)] });
		const two = await plan(as, { times: [clock(5000)] }, { inputs: { date: "+2", desk: "D-9" } });

		await assert.rejects(plan(as, { times: ["08:00"] }), { code: "busy" });
		const past = await becomes(async () => {
			const all = [...await history(as, one.id), ...await history(as, two.id)];

			return all.length === 2 && all;
		}, LIMIT_MS, "they did not run", 50);

		assert.deepEqual(became(past).sort(), ["asked", "refused"]);
		assert.match(past.find((run) => run.became === "refused").reason, /as many bookings that wait as there may be/);
		await pg.sql("DELETE FROM jobs.queues");
	});
});
