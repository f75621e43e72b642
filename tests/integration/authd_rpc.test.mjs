/* authd as streamd, steadctl and the daemons behind it meet it, and as it does without what it needs: the real program. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { beforeEach, describe } from "node:test";
import { promisify } from "node:util";
import { ADMIN, cookie, startAuthd } from "../lib/authd.mjs";
import { OTHER, PASSWORD, empty, freshAuthd, newDirectory, pg, refused, signedIn, test, usePostgres } from "../lib/authd_rig.mjs";
import { becomes } from "../e2e/rig.mjs";
import { RpcClient, RpcServer, refusal } from "../lib/rpc.mjs";

const run = promisify(execFile);

usePostgres();

describe("other daemons' methods", () => {
	const person = { id: 7, site: "desk", action: "book", title: "x", inputs: {}, state: "queued", attempts: 0,
		created_at_ms: 1 };

	async function withBotd(t, answer, options)
	{
		const authd = await freshAuthd(t, options);
		const jar = await signedIn(authd);
		const botd = await RpcServer.open(join(authd.sockets, "botd", "front"), answer);

		t.after(() => botd.close());
		return { authd, jar, botd };
	}

	test("are passed on for the person who is signed in", async (t) => {
		const requests = [];
		const { authd, jar } = await withBotd(t, (request) => {
			requests.push(request);
			return { booking: { ...person, id: request.params.id } };
		});
		const answer = await authd.post("/bookings/7/cancel", {}, { cookie: jar, ip: "2001:db8::1" });

		assert.deepEqual([answer.status, answer.body.booking.id], [200, 7]);
		const [{ method, params, for: acting, ms }] = requests;

		assert.equal(method, "booking_cancel");
		assert.deepEqual(params, { id: 7 });
		assert.equal(acting.name, "alice");
		assert.equal(acting.scopes, "read act session_use session_read admin_read admin");
		assert.equal(acting.ip, "2001:db8::1");
		assert.match(acting.login, /^[0-9a-f]{16}$/);
		assert.equal(String(acting.user), await pg.sql("SELECT id FROM authd.users"));
		assert.ok(ms > 25000 && ms <= 30000);

		await authd.get("/bookings?before=5&limit=2", { cookie: jar });
		assert.deepEqual(requests[1].params, { before: 5, limit: 2 });
		refused(await authd.get("/bookings?limit=x", { cookie: jar }), 400, "invalid", "limit");
		refused(await authd.get("/bookings/0", { cookie: jar }), 400, "invalid", "id");
		assert.equal(requests.length, 2);
	});

	test("pass their refusals back", async (t) => {
		const { authd, jar } = await withBotd(t, () => refusal("not_found", "There is no booking 9.", "id"));

		refused(await authd.get("/bookings/9", { cookie: jar }), 404, "not_found", "id");
	});

	test("are unavailable while the daemon is away, and come back with it", async (t) => {
		const authd = await freshAuthd(t);
		const jar = await signedIn(authd);
		const away = await authd.get("/sites", { cookie: jar });

		refused(away, 503, "unavailable");
		assert.equal(away.headers["retry-after"], "1");
		assert.equal(away.body.error.message,
			"The part of Stead that books is away; your bookings are safe. Try again in a moment.");
		assert.match(away.body.error.detail, /^botd is not running .*: systemctl status stead-botd$/);
		const botd = await RpcServer.open(join(authd.sockets, "botd", "front"), (request, socket) => socket.destroy());
		const lost = await authd.get("/sites", { cookie: jar });

		refused(lost, 503, "unavailable");
		assert.match(lost.body.error.message, /^A part of Stead stopped while it worked/);
		assert.match(lost.body.error.detail, /^botd stopped/);
		await botd.close();
		const back = await RpcServer.open(join(authd.sockets, "botd", "front"), () => ({ sites: [] }));

		t.after(() => back.close());
		assert.deepEqual((await authd.get("/sites", { cookie: jar })).body, { sites: [] });
	});

	test("end at the deadline, and when the client has gone", async (t) => {
		const { authd, jar, botd } = await withBotd(t, () => new Promise(() => {}), { set: { request_ms: 2000 } });

		refused(await authd.get("/sites", { cookie: jar }), 504, "timed_out");
		const called = once(botd, "site_list"), cancelled = once(botd, "cancel");
		const gone = new AbortController();
		const request = authd.get("/sites", { cookie: jar, signal: gone.signal });

		request.catch(() => {});
		await called;
		const began = Date.now();

		gone.abort();
		await cancelled;
		assert.ok(Date.now() - began < 1500, "cancelled at once, not at the deadline");
		await assert.rejects(request);
		await authd.logged(/GET \/api\/v1\/sites: unavailable/);
		assert.deepEqual(authd.log.filter((line) => / error: /.test(line)), [], "who hangs up is no failure of ours");
		assert.equal((await authd.get("/account", { cookie: jar })).status, 200);
	});

	test("beyond the cap are told to try again", async (t) => {
		let release, both, asked = 0;
		const gate = new Promise((done) => { release = done; });
		const arrived = new Promise((done) => { both = done; });
		const { authd, jar } = await withBotd(t, () => {
			if (++asked === 2)
				both(); /* one read may bring the two */
			return gate;
		}, { set: { requests: 2 } });
		const first = [authd.get("/sites", { cookie: jar }), authd.get("/sites", { cookie: jar })];

		await arrived;
		const third = await authd.get("/account", { cookie: jar });

		refused(third, 503, "busy");
		assert.equal(third.headers["retry-after"], "1");
		release({ sites: [] });
		for (const answer of await Promise.all(first))
			assert.equal(answer.status, 200);
		assert.equal((await authd.get("/account", { cookie: jar })).status, 200);
	});

	test("under way are finished before authd ends", async (t) => {
		let release;
		const gate = new Promise((done) => { release = done; });
		const { authd, jar, botd } = await withBotd(t, () => gate);
		const request = authd.get("/sites", { cookie: jar });

		await once(botd, "site_list");
		const ended = authd.stop();

		await authd.logged(/ends on signal/);
		release({ sites: [] });
		assert.equal((await request).status, 200);
		assert.equal(await ended, 0);
	});
});

describe("streamd's questions", () => {
	let authd, stream;

	beforeEach(async (t) => {
		authd = await freshAuthd(t, { set: { login_idle_s: 4 } });
		await authd.logged(/hears of logins/);
		stream = await RpcClient.open(authd.socket("stream"));
		t.after(() => stream.close());
	});

	test("whose login a cookie is", async () => {
		const answer = await authd.signIn();
		const login = await stream.call("login_check", { cookie: answer.cookies.stead.value });

		assert.equal(login.name, "alice");
		assert.equal(login.scopes, "read act session_use session_read admin_read admin");
		assert.equal(login.expires_at_ms, answer.body.expires_at_ms);
		assert.match(login.login, /^[0-9a-f]{16}$/);
		for (const bad of ["x", "A".repeat(43)])
			await assert.rejects(stream.call("login_check", { cookie: bad }), { code: "not_signed_in" });
	});

	test("whether a login has ended, by its name; use that it tells of prolongs it", async () => {
		const answer = await authd.signIn();
		const { login } = await stream.call("login_check", { cookie: answer.cookies.stead.value });
		const seen = () => pg.sql("SELECT seen_at > now() - interval '1 s' FROM authd.logins");

		await pg.sql("UPDATE authd.logins SET seen_at = now() - interval '2 s'");
		assert.deepEqual(await stream.call("login_look", { login }), { expires_at_ms: answer.body.expires_at_ms, again_ms: 1000 });
		await stream.call("login_check", { cookie: answer.cookies.stead.value });
		assert.equal(await seen(), "f");
		await stream.call("login_look", { login, used: true });
		assert.equal(await seen(), "t");
		await authd.post("/logout", {}, { cookie: cookie(answer) });
		for (const none of [login, "x"])
			await assert.rejects(stream.call("login_look", { login: none }), { code: "not_signed_in" });
	});

	test("what it refused, and what steadctl does there", async () => {
		const acting = { for: { user: 7, name: "bob", login: "x", ip: "192.0.2.9" } };
		const told = () => pg.sql("SELECT string_agg(concat_ws(' ', event, user_name, ip, detail), ',' ORDER BY id)"
			+ " FROM authd.audit WHERE event IN ('forbidden', 'steadctl')");

		await stream.call("audit_note", { event: "forbidden", detail: "the sign-in of somebody else" }, acting);
		await stream.call("audit_note", { event: "steadctl", detail: "stream_close id=x" });
		assert.equal(await told(), "forbidden bob 192.0.2.9 the sign-in of somebody else,steadctl stream_close id=x");
		await assert.rejects(stream.call("audit_note", { event: "login_ok", detail: "x" }), { code: "invalid" });
		for (let i = 0; i < 40; i++)
			await stream.call("audit_note", { event: "forbidden", detail: "flood" }, acting);
		for (let i = 0; i < 29; i++)
			await stream.call("audit_note", { event: "steadctl", detail: "act" });
		await assert.rejects(stream.call("audit_note", { event: "steadctl", detail: "too much" }), { code: "busy" });
		assert.equal(await pg.sql("SELECT count(*) FROM authd.audit WHERE event IN ('forbidden', 'steadctl')"), "60");
	});

	test("which logins end: by sign-out, by a new sign-in, by time, on another host, with their account", async () => {
		const watch = stream.watch("login_watch"), items = [];
		const nameOf = async (answer) => (await stream.call("login_check", { cookie: answer.cookies.stead.value })).login;
		const ends = async (name) => {
			while (!items.includes(name))
				await once(watch, "item");
		};

		watch.on("item", ({ login }) => items.push(login));
		const first = await authd.signIn(), firstName = await nameOf(first);

		await authd.post("/logout", {}, { cookie: cookie(first) });
		await ends(firstName);
		const second = await authd.signIn(), secondName = await nameOf(second);
		const third = await authd.signIn("alice", PASSWORD, { cookie: cookie(second) });

		await ends(secondName);
		await ends(await nameOf(third)); /* nobody uses it: it ends by itself */
		await pg.sql("NOTIFY authd_login_ended, 'feedfacefeedface'");
		await ends("feedfacefeedface");
		const last = await authd.signIn(), lastName = await nameOf(last);

		await pg.sql("DELETE FROM authd.users"); /* the account is gone, and its logins with it */
		await ends(lastName);
	});

	test("a watch ends when word may have been missed", async () => {
		const ended = once(stream.watch("login_watch"), "end");

		await stream.call("login_check", { cookie: "x" }).catch(() => {}); /* the watch stands */
		await pg.restart();
		const [why] = await ended;

		assert.equal(why.code, "unavailable");
	});

	test("other sockets do not answer them, nor this one others", async () => {
		const control = await RpcClient.open(authd.socket("control"));

		await assert.rejects(control.call("login_check", { cookie: "A".repeat(43) }), { code: "unknown_method" });
		await assert.rejects(stream.call("user_list"), { code: "unknown_method" });
		await assert.rejects(stream.call("user_list", {}, { for: { user: 1, name: "alice", scopes: "admin_read" } }),
			{ code: "unknown_method" });
		for (const method of ["login", "logout", "account_show"])
			await assert.rejects(control.call(method), { code: "unknown_method" });
		control.close();
		/* The audit has them: the first by itself, those that came with it in a number. */
		const told = () => pg.sql(`SELECT string_agg(detail, '; ' ORDER BY id) FROM authd.audit
			WHERE event = 'caller_refused'`);

		await becomes(async () => /asked for login_check on the control socket.*, and \d more/.test(await told()), 10_000,
			"the audit does not have them");
	});
});

describe("steadctl's calls", () => {
	test("add and list accounts, and say how authd is", async (t) => {
		const authd = await freshAuthd(t);
		const control = await RpcClient.open(authd.socket("control"));

		t.after(() => control.close());
		await control.call("user_add", { name: "bob", password: OTHER, admin: true });
		await assert.rejects(control.call("user_add", { name: "BOB", password: OTHER }), { code: "already", field: "name" });
		assert.deepEqual((await control.call("user_list")).users.map((u) => u.name), ["alice", "bob"]);
		await signedIn(authd, "bob", OTHER);
		const status = await control.call("authd_status");

		assert.equal(status.database, true);
		assert.equal(status.logins, 1);
		const { entries } = await control.call("audit_list");

		assert.deepEqual(entries.map((e) => e.event), ["login_ok", "user_added", "first_admin"]);
		assert.equal(entries[1].detail, "administrator, by steadctl");
	});

	test("give an account a new password: whoever was signed in to it is signed out", async (t) => {
		const authd = await freshAuthd(t);

		await authd.logged(/hears of logins/);
		const control = await RpcClient.open(authd.socket("control"));
		const stream = await RpcClient.open(authd.socket("stream"));
		const jar = await signedIn(authd);
		const watch = stream.watch("login_watch");
		const NEW = "copper-lantern-orbit-58";

		t.after(() => {
			control.close();
			stream.close();
		});
		await stream.call("login_check", { cookie: "x" }).catch(() => {}); /* the watch stands */
		const ended = once(watch, "item");

		await assert.rejects(control.call("user_passwd", { name: "nobody", password: NEW }), { code: "not_found", field: "name" });
		await assert.rejects(control.call("user_passwd", { name: "alice", password: "short" }), { code: "invalid", field: "password" });
		assert.equal((await authd.get("/account", { cookie: jar })).status, 200);
		assert.deepEqual(await control.call("user_passwd", { name: "ALICE", password: NEW }), { logins: 1 });
		await ended;
		assert.equal((await authd.get("/account", { cookie: jar })).status, 401);
		refused(await authd.signIn(), 401, "bad_password");
		await signedIn(authd, "alice", NEW);
		assert.equal(await pg.sql("SELECT detail FROM authd.audit WHERE event = 'password_set' AND user_name = 'alice'"),
			"by steadctl");
	});
});

describe("PostgreSQL", () => {
	test("down at start, killed and back: 503 until it is there, and then everything works", async (t) => {
		await empty();
		await pg.kill();
		let running = false;

		t.after(() => running || pg.start());
		const authd = await freshAuthd(t, { keep: true, env: ADMIN });

		refused(await authd.signIn(), 503, "database_down");
		refused(await authd.get("/account", { cookie: `stead=${"A".repeat(43)}` }), 503, "database_down");
		refused(await authd.get("/account"), 401, "not_signed_in");
		const control = await RpcClient.open(authd.socket("control"));
		const down = await control.call("authd_status");

		assert.equal(down.database, false);
		assert.match(down.database_trouble, /\S/);
		await pg.start();
		running = true;
		await authd.logged(/made the first administrator/);
		const jar = await signedIn(authd);

		await pg.kill();
		running = false;
		refused(await authd.get("/account", { cookie: jar }), 503, "database_down");
		refused(await authd.post("/logout", {}, { cookie: jar }), 503, "database_down");
		const said = authd.log.length;

		await pg.start();
		running = true;
		await authd.logged(/the database answers/, said);
		assert.equal((await authd.get("/account", { cookie: jar })).status, 200);
		assert.deepEqual({ ...await control.call("authd_status"), up_ms: 0 },
			{ version: down.version, up_ms: 0, database: true, logins: 1 });
		control.close();
	});
});

describe("running out of descriptors", () => {
	test("makes accepting pause, without spinning, and is over when it is", async (t) => {
		const authd = await freshAuthd(t);
		const jar = await signedIn(authd);
		const cpu = async () => {
			const fields = (await readFile(`/proc/${authd.child.pid}/stat`, "utf8")).split(" ");

			return (Number(fields[13]) + Number(fields[14])) * 10; /* ms, at 100 ticks a second */
		};

		await run("prlimit", ["--pid", String(authd.child.pid), "--nofile=64"]);
		const sockets = Array.from({ length: 80 }, () => connect(authd.socket("http")));

		sockets.forEach((socket) => socket.on("error", () => {}));
		await authd.logged(/cannot accept on the http socket: Too many open files; trying again in 200 ms/);
		const before = await cpu();

		await authd.logged(/cannot accept/, authd.log.length); /* a whole pause later */
		assert.ok(await cpu() - before < 100, "busy while it cannot accept");
		sockets.forEach((socket) => socket.destroy());
		assert.equal((await authd.get("/account", { cookie: jar })).status, 200);
	});
});

describe("settings", () => {
	test("that cannot work are refused with the reason", async () => {
		for (const [set, why] of [[{ origin: "stead.example.org" }, /origin does not take.*https:\/\//],
			[{ stream_user: "no-such-user" }, /stream_user does not take "no-such-user": there is no such user/]]) {
			const start = startAuthd({ dir: newDirectory(), pg, set });

			await assert.rejects(start, why);
		}
	});

	test("every migration has its way back", async () => {
		await pg.migrate("authd", ["down", "--to", "0"]);
		assert.equal(await pg.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'authd'"), "0");
		await pg.migrate("authd", ["up"]);
	});
});
