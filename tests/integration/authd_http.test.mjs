/* authd as nginx and a browser meet it: the real program, a real PostgreSQL. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { ORIGIN, cookie, startAuthd } from "../lib/authd.mjs";
import { RpcClient } from "../lib/rpc.mjs";
import { OTHER, PASSWORD, empty, freshAuthd, newDirectory, pg, refused, signedIn, test, usePostgres } from "../lib/authd_rig.mjs";

usePostgres();

const events = () => pg.sql("SELECT string_agg(event, ' ' ORDER BY id) FROM authd.audit");

describe("signing in", () => {
	test("the first administrator signs in and out", async (t) => {
		const authd = await freshAuthd(t);
		const answer = await authd.signIn();

		assert.equal(answer.status, 200, answer.text);
		assert.equal(answer.body.name, "alice");
		assert.equal(answer.body.admin, true);
		assert.ok(Math.abs(answer.body.expires_at_ms - Date.now() - 12 * 3600e3) < 60e3);
		assert.match(answer.cookies.stead.value, /^[A-Za-z0-9_-]{43}$/);
		assert.equal(answer.cookies.stead.attributes, "; Path=/; HttpOnly; SameSite=Lax");

		const jar = cookie(answer);
		const account = await authd.get("/account", { cookie: jar });

		assert.deepEqual(account.body, { id: account.body.id, name: "alice", admin: true,
			expires_at_ms: answer.body.expires_at_ms });
		const out = await authd.post("/logout", {}, { cookie: jar });

		assert.equal(out.status, 200);
		assert.match(out.cookies.stead.attributes, /Max-Age=0/);
		refused(await authd.get("/account", { cookie: jar }), 401, "not_signed_in");
		refused(await authd.post("/logout", {}, { cookie: jar }), 401, "not_signed_in");
		assert.equal(await events(), "first_admin login_ok logout");
	});

	test("only hashes are kept, and the log holds neither password nor cookie", async (t) => {
		const authd = await freshAuthd(t);
		const answer = await authd.signIn();

		await authd.signIn("alice", "not the password at all");
		const dump = await pg.sql("SELECT json_agg(l)::text || (SELECT json_agg(d)::text FROM authd.devices d)"
			+ " || (SELECT json_agg(u)::text FROM authd.users u) || (SELECT json_agg(a)::text FROM authd.audit a)"
			+ " FROM authd.logins l");

		assert.match(dump, /\$argon2id\$v=19\$m=64,t=1,p=1\$/);
		for (const secret of [PASSWORD, "not the password", answer.cookies.stead.value, answer.cookies["stead-device"].value]) {
			assert.ok(!dump.includes(secret));
			assert.ok(!authd.log.join("\n").includes(secret));
			assert.ok(!dump.includes(Buffer.from(secret).toString("hex")));
		}
	});

	test("a wrong password and an unknown name are answered alike", async (t) => {
		const authd = await freshAuthd(t);
		const wrong = await authd.signIn("alice", OTHER);
		const unknown = await authd.signIn("nobody", OTHER);

		refused(wrong, 401, "bad_password");
		assert.equal(unknown.text, wrong.text);
		assert.deepEqual(Object.keys(unknown.headers), Object.keys(wrong.headers));
		assert.equal(wrong.headers["set-cookie"], undefined);
		const rows = await pg.sql("SELECT user_name || ':' || detail FROM authd.audit WHERE event = 'login_failed'"
			+ " AND user_name IS NOT NULL UNION ALL SELECT detail FROM authd.audit WHERE user_name IS NULL");

		assert.equal(rows, "alice:wrong password\nno such account");
	});

	/* Not by the clock, which tells as much about what else the machine does. */
	test("... and cost authd the same", async (t) => {
		const authd = await freshAuthd(t, { set: { hash_memory_kib: 19456, hash_passes: 2, account_failures: 1000,
			address_failures: 1000 } });
		const cost_ms = { alice: 0, nobody: 0 };

		for (let i = 0; i < 12; i++)
			for (const name of Object.keys(cost_ms)) {
				const before = authd.processorTime();

				await authd.signIn(name, OTHER);
				cost_ms[name] += authd.processorTime() - before;
			}
		const { alice: known, nobody: unknown } = cost_ms;

		t.diagnostic(`processor time of 12: known ${known} ms, unknown ${unknown} ms`);
		assert.ok(known >= 12 * 10, "that is no Argon2id");
		assert.ok(unknown > known * 0.7 && unknown < known * 1.4, `${known} ms and ${unknown} ms`);
	});

	test("while a password is hashed, others are answered", async (t) => {
		const authd = await freshAuthd(t, { set: { hash_memory_kib: 65536, hash_passes: 10 } });
		let ended = false, answered = 0;
		const slow = authd.signIn("alice", OTHER).finally(() => {
			ended = true;
		});

		for (; !ended; answered++)
			refused(await authd.get("/account"), 401, "not_signed_in");
		refused(await slow, 401, "bad_password");
		assert.ok(answered >= 5, `${answered} were answered meanwhile`);
	});

	test("a new sign-in gives a new id and ends the old login", async (t) => {
		const authd = await freshAuthd(t);
		const first = await signedIn(authd);
		const second = cookie(await authd.signIn("ALICE", PASSWORD, { cookie: first }), "stead");

		assert.notEqual(first, second);
		refused(await authd.get("/account", { cookie: first }), 401, "not_signed_in");
		assert.equal((await authd.get("/account", { cookie: second })).status, 200);
	});

	test("cookies that are planted, doubled or foreign are worth nothing", async (t) => {
		const authd = await freshAuthd(t);
		const good = await signedIn(authd);

		for (const bad of ["stead=", "stead=x", `stead=${"A".repeat(43)}`, `${good}; ${good}`, `x${good}`,
			good.replace("stead=", "__Host-stead="), `stead=${"A".repeat(5000)}`])
			refused(await authd.get("/account", { cookie: bad }), 401, "not_signed_in");
	});

	test("a login ends when it is idle, and in any case at its time", async (t) => {
		const authd = await freshAuthd(t, { set: { login_idle_s: 600, login_most_s: 3600 } });
		const jar = await signedIn(authd);

		await pg.sql("UPDATE authd.logins SET seen_at = now() - interval '599 s'");
		assert.equal((await authd.get("/account", { cookie: jar })).status, 200);
		assert.equal(await pg.sql("SELECT now() - seen_at < interval '10 s' FROM authd.logins"), "t");
		await pg.sql("UPDATE authd.logins SET seen_at = now() - interval '601 s'");
		refused(await authd.get("/account", { cookie: jar }), 401, "not_signed_in");

		const other = await signedIn(authd);

		await pg.sql("UPDATE authd.logins SET expires_at = now() - interval '1 ms'");
		refused(await authd.get("/account", { cookie: other }), 401, "not_signed_in");
	});

	test("what a page asks for by itself does not keep a login from idling out", async (t) => {
		const authd = await freshAuthd(t, { set: { login_idle_s: 600 } });
		const jar = await signedIn(authd);
		const seen = "SELECT round(extract(epoch FROM now() - seen_at)) FROM authd.logins";

		await pg.sql("UPDATE authd.logins SET seen_at = now() - interval '500 s'");
		assert.equal((await authd.get("/account", { cookie: jar, headers: { "Stead-Idle": "1" } })).status, 200);
		assert.ok(Number(await pg.sql(seen)) >= 500);
		assert.equal((await authd.get("/account", { cookie: jar })).status, 200);
		assert.ok(Number(await pg.sql(seen)) < 100);
	});

	test("a page of one person sends nothing as another who has signed in since", async (t) => {
		const authd = await freshAuthd(t);
		const jar = await signedIn(authd);
		const { body: { id } } = await authd.get("/account", { cookie: jar });
		const as = (account) => ({ cookie: jar, headers: { "Stead-Account": account } });

		assert.equal((await authd.get("/account", as(String(id)))).status, 200);
		for (const other of [String(id + 1), "", "alice", `${id} `.repeat(40)]) {
			const answer = await authd.post("/logout", {}, as(other));

			refused(answer, 401, "not_signed_in", "Stead-Account");
			assert.match(answer.body.error.message, /^In this browser alice has signed in to Stead since/);
		}
		assert.equal((await authd.get("/account", { cookie: jar })).status, 200, "the login lives");
		assert.equal((await authd.post("/login", { name: "alice", password: PASSWORD }, as("7"))).status, 200);
	});

	test("over https the cookies have their prefix and are Secure", async (t) => {
		const authd = await freshAuthd(t, { set: { origin: "https://stead.example.org" } });
		const headers = { Host: "stead.example.org", Origin: "https://stead.example.org" };
		const answer = await authd.signIn("alice", PASSWORD, { headers });

		assert.equal(answer.cookies["__Host-stead"].attributes, "; Path=/; HttpOnly; SameSite=Lax; Secure");
		assert.equal((await authd.get("/account", { headers, cookie: cookie(answer) })).status, 200);
		refused(await authd.get("/account", { headers, cookie: cookie(answer).replaceAll("__Host-", "") }), 401,
			"not_signed_in");
	});

	test("a hash of weaker settings is made anew at the next sign-in", async (t) => {
		const authd = await freshAuthd(t);

		await authd.stop();
		const stronger = await freshAuthd(t, { keep: true, env: {}, set: { hash_memory_kib: 128, hash_passes: 3 } });
		const hash = () => pg.sql("SELECT password FROM authd.users");

		assert.match(await hash(), /m=64,t=1/);
		refused(await stronger.signIn("alice", OTHER), 401, "bad_password");
		assert.match(await hash(), /m=64,t=1/);
		await signedIn(stronger);
		assert.match(await hash(), /m=128,t=3/);
		await signedIn(stronger);
	});
});

/*
 * What was read before a wait may be no more afterwards. The test holds the row that both want, lets the one that changes
 * it queue first and the one that has looked already second, and lets go.
 */
describe("while somebody waits, what they looked at changes", () => {
	async function holding(t, lock)
	{
		const session = pg.session();

		t.after(() => session.end());
		await session.sql("BEGIN");
		await session.sql(lock);
		return session;
	}

	const USERS = "SELECT FROM authd.users FOR UPDATE";

	async function control(t, authd)
	{
		const client = await RpcClient.open(authd.socket("control"));

		t.after(() => client.close());
		return client;
	}

	async function resetFirst(t, second, { lock = USERS, options = {} } = {})
	{
		const authd = await freshAuthd(t, options);
		const jar = await signedIn(authd);
		const admin = await control(t, authd);
		const held = await holding(t, lock);
		const reset = admin.call("user_passwd", { name: "alice", password: OTHER });

		await pg.blocked(1);
		const late = second(authd, jar);

		await pg.blocked(2);
		await held.sql("COMMIT");
		return { authd, jar, answer: await late, reset: await reset };
	}

	test("an old password does not undo a reset", async (t) => {
		const { authd, answer } = await resetFirst(t, (authd) => authd.signIn());

		refused(answer, 401, "bad_password");
		assert.equal(answer.headers["set-cookie"], undefined);
		assert.equal(await pg.sql("SELECT count(*) FROM authd.logins"), "0");
		refused(await authd.signIn(), 401, "bad_password");
		await signedIn(authd, "alice", OTHER);
		assert.equal(await events(), "first_admin login_ok password_set login_failed login_failed login_ok");
	});

	test("... nor when the hash would be made anew", async (t) => {
		const authd = await freshAuthd(t);

		await authd.stop();
		const stronger = await freshAuthd(t, { keep: true, env: {}, set: { hash_memory_kib: 128 } });
		const admin = await control(t, stronger);
		const held = await holding(t, USERS);
		const reset = admin.call("user_passwd", { name: "alice", password: OTHER });

		await pg.blocked(1);
		const late = stronger.signIn();

		await pg.blocked(2);
		await held.sql("COMMIT");
		await reset;
		refused(await late, 401, "bad_password");
		refused(await stronger.signIn(), 401, "bad_password");
		await signedIn(stronger, "alice", OTHER);
	});

	test("two sign-ins that both make the hash anew are both let in", async (t) => {
		const authd = await freshAuthd(t);

		await authd.stop();
		const stronger = await freshAuthd(t, { keep: true, env: {}, set: { hash_memory_kib: 128 } });
		const held = await holding(t, USERS);
		const both = [stronger.signIn(), stronger.signIn()];

		await pg.blocked(2);
		await held.sql("COMMIT");
		for (const answer of await Promise.all(both))
			assert.equal(answer.status, 200, answer.text);
	});

	test("a reset ends the login that is being made before it", async (t) => {
		const authd = await freshAuthd(t);
		const admin = await control(t, authd);
		const held = await holding(t, USERS);
		const early = authd.signIn();

		await pg.blocked(1);
		const reset = admin.call("user_passwd", { name: "alice", password: OTHER });

		await pg.blocked(2);
		await held.sql("COMMIT");
		const answer = await early;

		assert.equal(answer.status, 200, answer.text);
		assert.equal((await reset).logins, 1);
		refused(await authd.get("/account", { cookie: cookie(answer) }), 401, "not_signed_in");
	});

	/* As the clean-up of what has run out does: else each would wait for what the other holds. */
	test("a reset takes the logins first, then the devices", async (t) => {
		const authd = await freshAuthd(t);

		await signedIn(authd);
		const admin = await control(t, authd);
		const held = await holding(t, "SELECT FROM authd.logins FOR UPDATE");
		const reset = admin.call("user_passwd", { name: "alice", password: OTHER });

		await pg.blocked(1);
		await held.sql("DELETE FROM authd.devices");
		await held.sql("COMMIT");
		assert.equal((await reset).logins, 1);
		await signedIn(authd, "alice", OTHER);
	});

	test("... and is done again when it was in another's way", async (t) => {
		const authd = await freshAuthd(t);

		await signedIn(authd);
		const admin = await control(t, authd);
		const held = await holding(t, "SELECT FROM authd.logins FOR UPDATE");
		const reset = admin.call("user_passwd", { name: "alice", password: OTHER });

		await pg.blocked(1);
		await held.sql("SET LOCAL deadlock_timeout = '1min'");
		await held.sql("SELECT FROM authd.users FOR UPDATE");
		await held.sql("COMMIT");
		assert.equal((await reset).logins, 1);
		await signedIn(authd, "alice", OTHER);
	});

	test("who was signed out by a reset does not reset it back", async (t) => {
		const { authd, answer } = await resetFirst(t, (authd, jar) =>
			authd.post("/users/alice/password", { password: "maple-harbour-quartz-88" }, { cookie: jar }));

		refused(answer, 401, "not_signed_in");
		await signedIn(authd, "alice", OTHER);
	});

	test("... nor makes an account to come back by", async (t) => {
		const { answer } = await resetFirst(t, (authd, jar) =>
			authd.post("/users", { name: "mallory", password: "maple-harbour-quartz-88", admin: true }, { cookie: jar }));

		refused(answer, 401, "not_signed_in");
		assert.equal(await pg.sql("SELECT string_agg(name, ' ') FROM authd.users"), "alice");
	});

	test("a login that ended while it was marked used is none", async (t) => {
		const authd = await freshAuthd(t);
		const jar = await signedIn(authd);

		await pg.sql("UPDATE authd.logins SET seen_at = now() - interval '600 s'");
		const held = await holding(t, "SELECT FROM authd.logins FOR UPDATE");
		const request = authd.get("/account", { cookie: jar });

		await pg.blocked(1);
		await held.sql("DELETE FROM authd.logins");
		await held.sql("COMMIT");
		refused(await request, 401, "not_signed_in");
	});

	test("a count of failures that another sign-in forgives is begun anew", async (t) => {
		const authd = await freshAuthd(t);

		refused(await authd.signIn("alice", OTHER), 401, "bad_password");
		const held = await holding(t, "SELECT FROM authd.throttle FOR UPDATE");
		const stranger = authd.signIn("alice", OTHER);

		await pg.blocked(1);
		await held.sql("DELETE FROM authd.throttle");
		await held.sql("COMMIT");
		refused(await stranger, 401, "bad_password");
		assert.equal(await pg.sql("SELECT string_agg(failures::text, ' ') FROM authd.throttle"), "1 1");
		await signedIn(authd);
	});

	test("an account that is gone lets nobody in", async (t) => {
		const authd = await freshAuthd(t);
		const held = await holding(t, USERS);
		const late = authd.signIn();

		await pg.blocked(1);
		await held.sql("DELETE FROM authd.users");
		await held.sql("COMMIT");
		refused(await late, 401, "bad_password");
		assert.equal(await pg.sql("SELECT count(*) FROM authd.logins"), "0");
	});
});

describe("the first administrator", () => {
	test("is made once, and never beside other accounts", async (t) => {
		const authd = await freshAuthd(t);

		await authd.restart();
		await signedIn(authd);
		assert.equal(await pg.sql("SELECT count(*) FROM authd.users"), "1");
	});

	test("is missed with a sentence when nobody is named", async (t) => {
		const authd = await freshAuthd(t, { env: {} });

		await authd.logged(/there are no accounts .* ADMIN_USER and ADMIN_PASS/);
	});

	test("is refused a password that anybody would guess", async (t) => {
		const authd = await freshAuthd(t, { env: { ADMIN_USER: "alice", ADMIN_PASS: "short" } });

		await authd.logged(/first administrator was not made.*15 characters/);
		assert.equal(await pg.sql("SELECT count(*) FROM authd.users"), "0");
	});

	test("comes from the service manager's credentials too", async (t) => {
		const dir = newDirectory();

		await mkdir(dir, { recursive: true });
		await writeFile(join(dir, "admin-user"), "carol\n");
		await writeFile(join(dir, "admin-pass"), `${OTHER}\n`);
		const authd = await freshAuthd(t, { env: { CREDENTIALS_DIRECTORY: dir } });

		await authd.logged(/made the first administrator, carol/);
		await signedIn(authd, "carol", OTHER);
	});
});

describe("requests", () => {
	let authd, jar;

	before(async () => {
		await empty();
		authd = await startAuthd({ dir: newDirectory(), pg });
		await authd.logged(/made the first administrator/);
		jar = await signedIn(authd);
	});
	after(() => authd.stop());

	test("without a login are refused before anything is read", async () => {
		for (const [verb, path] of [["GET", "/account"], ["GET", "/users"], ["GET", "/bookings/x1x"], ["GET", "/sites"],
			["POST", "/streams"], ["DELETE", "/sessions/1"]]) {
			const answer = await authd.request(verb, path, { raw: verb === "GET" ? undefined : "}{" });

			if (path.includes("x1x"))
				refused(answer, 400, "invalid", "id"); /* an address that is none is no secret */
			else
				refused(answer, 401, "not_signed_in");
		}
	});

	test("to unknown addresses and with wrong verbs are told so", async () => {
		for (const path of ["/", "/nothing", "/login/", "//", "//api/v1", "//api/v2/login", "/bookings/1/x"])
			refused(await authd.get(path, { cookie: jar }), 404, "unknown_method");
		const answer = await authd.request("PUT", "/login", { body: {} });

		refused(answer, 405, "unknown_method");
		assert.equal(answer.headers.allow, "POST");
		for (const verb of ["OPTIONS", "PATCH", "TRACE", "DELETE"])
			refused(await authd.request(verb, "/users", { cookie: jar }), 405, "unknown_method");
		assert.equal((await authd.request("OPTIONS", "/users", {})).headers.allow, "POST, GET, HEAD");
	});

	test("HEAD is GET without the body", async () => {
		const get = await authd.get("/account", { cookie: jar });
		const head = await authd.request("HEAD", "/account", { cookie: jar });

		assert.equal(head.status, 200);
		assert.equal(head.text, "");
		assert.equal(head.headers["content-length"], get.headers["content-length"]);
		assert.equal((await authd.request("HEAD", "/account")).status, 401);
	});

	test("with bodies that are not one JSON object", async () => {
		const post = (raw, headers) => authd.request("POST", "/users", { raw, headers, cookie: jar });

		for (const type of [undefined, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
			refused(await post("{}", { "Content-Type": type }), 415, "unsupported", "Content-Type");
		refused(await post("{}", { "Content-Type": "application/json; charset=utf-8" }), 400, "invalid", "name");
		for (const raw of ["", "{", "[]", "null", "1", "{\"name\":\"a\",\"name\":\"b\"}", "{\"name\":\"\\u0000\"}",
			"{} {}", `${"[".repeat(40)}${"]".repeat(40)}`, `{"name":${"[".repeat(33)}${"]".repeat(33)}}`])
			refused(await post(raw), 400, "malformed");
		refused(await post(Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d])), 400, "malformed");
		refused(await post(JSON.stringify({ name: "x".repeat(65500), password: PASSWORD })), 413, "too_large");
		refused(await post(JSON.stringify({ name: "x".repeat(65500) })), 400, "invalid", "name");
		const answer = await authd.get("/users", { raw: "{}", cookie: jar });

		refused(answer, 400, "malformed");
	});

	test("with parameters that are wrong name them", async () => {
		const cases = [
			[{}, "name"],
			[{ name: "bob" }, "password"],
			[{ name: "", password: OTHER }, "name"],
			[{ name: 1, password: OTHER }, "name"],
			[{ name: "bob", password: OTHER, admin: "yes" }, "admin"],
			[{ name: "bob", password: OTHER, extra: 1 }, "extra"],
			[{ name: "x".repeat(65), password: OTHER }, "name"],
			[{ name: "bo b", password: OTHER }, "name"],
			[{ name: "bob", password: "short" }, "password"],
			[{ name: "bob", password: "passwordpassword" }, "password"],
			[{ name: "bob", password: "x".repeat(257) }, "password"],
		];

		for (const [body, field] of cases)
			refused(await authd.post("/users", body, { cookie: jar }), 400, "invalid", field);
		for (const [path, field] of [["/audit?limit=0", "limit"], ["/audit?limit=501", "limit"], ["/audit?limit=ten", "limit"],
			["/audit?limit=1&limit=2", "limit"], ["/audit?colour=red", "colour"], ["/audit?before=%", "before"]])
			refused(await authd.get(path, { cookie: jar }), 400, "invalid", field);
		refused(await authd.post("/users?name=bob", { name: "bob", password: OTHER }, { cookie: jar }), 400, "invalid", "name");
		refused(await authd.post("/users?password=x", { name: "bob" }, { cookie: jar }), 400, "invalid", "password");
		const answer = await authd.get("/audit?limit=1", { cookie: jar });

		assert.equal(answer.body.entries.length, 1);
		assert.equal((await authd.get(`/audit?before=${answer.body.entries[0].id}&limit=1`, { cookie: jar }))
			.body.entries[0].id < answer.body.entries[0].id, true);
	});

	test("from other sites are refused, sign-in included", async () => {
		const foreign = [{ Origin: "https://evil.example" }, { Origin: "null" }, { Origin: undefined },
			{ "Sec-Fetch-Site": "cross-site" }, { "Sec-Fetch-Site": "same-site" }, { "Sec-Fetch-Site": "none" },
			{ Origin: undefined, "Sec-Fetch-Site": "none" },
			{ Origin: "https://evil.example", "Sec-Fetch-Site": "same-origin" }];

		for (const headers of foreign) {
			const login = await authd.signIn("alice", PASSWORD, { headers });

			refused(login, 403, "cross_site", Object.hasOwn(headers, "Origin") && !headers.Origin
				&& !headers["Sec-Fetch-Site"] ? "Origin" : undefined);
			assert.equal(login.headers["set-cookie"], undefined);
			assert.equal((await authd.post("/logout", {}, { headers, cookie: jar })).status, 403);
		}
		for (const headers of [{ Origin: undefined, "Sec-Fetch-Site": "same-origin" }, { "Sec-Fetch-Site": "same-origin" }])
			assert.equal((await authd.signIn("alice", PASSWORD, { headers })).status, 200);
		assert.equal((await authd.get("/account", { cookie: jar, headers: { Origin: undefined } })).status, 200);
		assert.equal(await pg.sql("SELECT count(*) FROM authd.audit WHERE event = 'cross_site_refused'"),
			String(2 * foreign.length));
		assert.equal(await pg.sql("SELECT detail FROM authd.audit WHERE event = 'cross_site_refused' ORDER BY id LIMIT 1"),
			"login, from https://evil.example");
	});

	test("under another name of the host are refused", async () => {
		for (const Host of ["evil.example", "127.0.0.1", "127.0.0.1:8081"])
			refused(await authd.get("/account", { cookie: jar, headers: { Host } }), 403, "cross_site", "Host");
	});

	/* Bytes that are no UTF-8, and texts cut in the middle of a character, end up in sentences and in the audit. */
	test("with bytes that are no text anywhere are refused and told so", async () => {
		const raw = async (head, body = "") => {
			const socket = connect(authd.socket("http"));
			const text = `${head}\r\nContent-Type: application/json\r\nConnection: close\r\n`
				+ `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
			let answer = "";

			socket.setEncoding("utf8").on("data", (piece) => { answer += piece; });
			socket.write(text, /\u00ff/.test(text) ? "latin1" : "utf8");
			await once(socket, "close");
			return answer;
		};
		const post = `POST /api/v1/login HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nOrigin: ${ORIGIN}`;

		assert.match(await raw("GET /api/v1/audit HTTP/1.1\r\nHost: \u00ffevil"), /403 [^]*name \\"\?evil\\"/);
		assert.match(await raw("POST /api/v1/login HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nOrigin: \u00ff\u00fe"), /403 [^]*cross_site/);
		assert.match(await pg.sql("SELECT detail FROM authd.audit ORDER BY id DESC LIMIT 1"), /^login, from \?\?$/);
		assert.match(await raw(`${post}\r\nX-Real-IP: \u00ff`, "{}"), /400 [^]*name is missing/);
		for (const name of ["x".repeat(63) + "\u{1f404}", "\u{1f404}".repeat(5000), "x".repeat(94) + "\u{1f404}"])
			assert.match(await raw(post, JSON.stringify({ [name]: 1, name: "a", password: "b" })), /400 [^]*no parameter/);
		for (const name of ["%ff", "%ff".repeat(40), "a".repeat(63) + "%F0%9F%90%84", "%F0%9F%90"]) {
			const { status, body } = await authd.get(`/audit?${name}=1`, { cookie: jar });

			assert.deepEqual([status, body.error.code], [400, "invalid"]);
		}
		assert.equal((await authd.get("/account", { cookie: jar })).status, 200);
	});

	test("that two readers could understand in two ways are refused", async () => {
		const send = async (text) => {
			const socket = connect(authd.socket("http"));
			let answer = "";

			socket.setEncoding("utf8").on("data", (piece) => answer += piece);
			socket.write(text);
			await Promise.race([once(socket, "close"), new Promise((done) => socket.on("data", done))]);
			socket.destroy();
			return answer;
		};
		const head = `POST /api/v1/login HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nOrigin: ${ORIGIN}\r\nContent-Type: application/json\r\n`;

		assert.match(await send(`${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} `), /^HTTP\/1.1 400 /);
		assert.match(await send(`${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`),
			/^HTTP\/1.1 400 /);
		assert.match(await send(`${head}Host: evil.example\r\nContent-Length: 2\r\n\r\n{}`), /^HTTP\/1.1 400 /);
		assert.match(await send(`${head}Content-Length: 9999999999\r\n\r\n{}`), /^HTTP\/1.1 (400|413) /);
		assert.match(await send(`GET /api/v1/account HTTP/1.1\r\nX: ${"x".repeat(20000)}\r\n\r\n`), /^HTTP\/1.1 400 /);
	});

	test("the description of it all", async () => {
		const answer = await authd.get("/openapi.json");

		assert.equal(answer.status, 200);
		assert.equal(answer.body.openapi, "3.1.0");
		assert.equal(answer.body.paths["/api/v1/login"].post.operationId, "login");
		assert.equal(answer.body.servers[0].url, ORIGIN);
		assert.equal(answer.body.components.securitySchemes.login.name, "stead");
	});
});

describe("accounts", () => {
	test("are added by administrators alone", async (t) => {
		const authd = await freshAuthd(t);
		const alice = await signedIn(authd);
		const added = await authd.post("/users", { name: "Bob", password: OTHER }, { cookie: alice });

		assert.equal(added.status, 200, added.text);
		refused(await authd.post("/users", { name: "bob", password: OTHER }, { cookie: alice }), 409, "already", "name");
		const bob = await signedIn(authd, "bob", OTHER);

		for (const path of ["/users", "/audit"])
			refused(await authd.get(path, { cookie: bob }), 403, "forbidden");
		refused(await authd.post("/users", { name: "eve", password: OTHER }, { cookie: bob }), 403, "forbidden");
		const { users } = (await authd.get("/users", { cookie: alice })).body;

		assert.deepEqual(users.map(({ name, admin }) => [name, admin]), [["alice", true], ["Bob", false]]);
		assert.ok(users[0].last_login_at_ms >= users[0].created_at_ms);
		assert.equal(await pg.sql("SELECT user_name || ', ' || detail FROM authd.audit WHERE event = 'user_added'"),
			"Bob, user, by alice");
	});
});

describe("throttling", () => {
	const set = { account_failures: 3, address_failures: 5 };

	async function fail(authd, n, name = "alice", options = {})
	{
		for (let i = 0; i < n; i++)
			refused(await authd.signIn(name, OTHER, options), 401, "bad_password");
	}

	function throttled(answer, least, most)
	{
		refused(answer, 429, "throttled");
		const seconds = Number(answer.headers["retry-after"]);

		assert.ok(seconds > least && seconds <= most, `Retry-After: ${seconds}`);
	}

	/* As if so much time had passed. */
	const pass = (interval) => pg.sql(`UPDATE authd.throttle SET since = since - interval '${interval}',
		touched_at = touched_at - interval '${interval}', blocked_until = blocked_until - interval '${interval}'`);

	test("blocks an account for a while, longer each time, through restarts, never for good", async (t) => {
		const authd = await freshAuthd(t, { set });
		let ip = 1;
		const from = () => ({ ip: `198.51.100.${ip++}` });

		for (const minutes of [10, 20, 40]) {
			for (let i = 0; i < 3; i++)
				await fail(authd, 1, i % 2 ? "alice" : "ALICE", from());
			throttled(await authd.signIn("alice", PASSWORD, from()), minutes * 60 - 10, minutes * 60);
			await authd.restart("SIGKILL");
			throttled(await authd.signIn("alice", PASSWORD, from()), minutes * 60 - 60, minutes * 60);
			await pass(`${minutes} minutes`);
		}
		await signedIn(authd, "alice", PASSWORD, from());
		assert.equal(await pg.sql("SELECT count(*) FROM authd.audit WHERE event = 'login_throttled'"), "3");
	});

	/* PostgreSQL lowers U+212A, the Kelvin sign, to k. */
	test("counts every way of writing an account's name together", async (t) => {
		const authd = await freshAuthd(t, { set });
		const jar = await signedIn(authd);

		assert.equal((await authd.post("/users", { name: "kim", password: OTHER }, { cookie: jar })).status, 200);
		for (const name of ["kim", "nik"]) {
			for (const [i, written] of ["\u212a", "k", "K"].entries())
				refused(await authd.signIn(name.replace("k", written), PASSWORD, { ip: `198.51.100.${i}` }), 401, "bad_password");
			throttled(await authd.signIn(name.replace("k", "\u212a"), OTHER, { ip: "198.51.100.9" }), 590, 600);
		}
	});

	test("treats an account that does not exist alike", async (t) => {
		const authd = await freshAuthd(t, { set });

		for (let i = 0; i < 3; i++)
			await fail(authd, 1, "nobody", { ip: `198.51.100.${i}` });
		throttled(await authd.signIn("nobody", PASSWORD, { ip: "198.51.100.9" }), 590, 600);
		await signedIn(authd);
	});

	test("does not keep a known browser out, but counts its failures apart", async (t) => {
		const authd = await freshAuthd(t, { set });
		const known = { cookie: cookie(await authd.signIn(), "stead-device"), ip: "203.0.113.5" };

		await fail(authd, 3);
		throttled(await authd.signIn(), 590, 600);
		await signedIn(authd, "alice", PASSWORD, known);
		await fail(authd, 3, "alice", known);
		throttled(await authd.signIn("alice", PASSWORD, known), 590, 600);
		throttled(await authd.signIn("alice", PASSWORD, { cookie: "stead-device=" + "A".repeat(43) }), 580, 600);
	});

	test("blocks an address, and an IPv6 network, not its neighbours", async (t) => {
		const authd = await freshAuthd(t, { set });

		for (let i = 0; i < 5; i++)
			await fail(authd, 1, `name${i}`, { ip: `2001:db8:0:7::${i + 1}` });
		throttled(await authd.signIn("alice", PASSWORD, { ip: "2001:db8:0:7:ffff::1" }), 170, 180);
		await signedIn(authd, "alice", PASSWORD, { ip: "2001:db8:0:8::1" });
		await pass("3 minutes");
		await signedIn(authd, "alice", PASSWORD, { ip: "2001:db8:0:7::1" });
	});

	test("right passwords do not use an address up", async (t) => {
		const authd = await freshAuthd(t, { set });

		for (let i = 0; i < 12; i++)
			await signedIn(authd);
	});

	test("many attempts at once do not outrun the count", async (t) => {
		const authd = await freshAuthd(t, { set: { account_failures: 3, address_failures: 1000 } });
		const answers = await Promise.all(Array.from({ length: 20 }, () => authd.signIn("alice", OTHER)));
		const count = (status) => answers.filter((a) => a.status === status).length;

		assert.equal(count(401), 3);
		assert.equal(count(429), 17);
	});
});

describe("the audit", () => {
	test("can be added to and read, and nothing else", async (t) => {
		const authd = await freshAuthd(t);

		await signedIn(authd);
		const role = { role: "stead_authd" };

		assert.equal(await pg.sql("SELECT count(*) FROM authd.audit", role), "2");
		for (const statement of ["DELETE FROM authd.audit", "UPDATE authd.audit SET event = 'x'", "TRUNCATE authd.audit",
			"INSERT INTO authd.audit (event, at) VALUES ('x', '1999-01-01')",
			"INSERT INTO authd.audit (id, event) OVERRIDING SYSTEM VALUE VALUES (1, 'x')",
			"DROP TABLE authd.audit", "ALTER TABLE authd.audit DISABLE TRIGGER ALL", "DELETE FROM authd.users"])
			await assert.rejects(pg.sql(statement, role), /permission denied|must be owner/);
	});

	test("tells of who wanted what is not theirs, and is not flooded by it", async (t) => {
		const authd = await freshAuthd(t);

		await authd.post("/users", { name: "bob", password: OTHER }, { cookie: await signedIn(authd) });
		const jar = await signedIn(authd, "bob", OTHER);
		const told = () => pg.sql("SELECT string_agg(concat_ws(' ', user_name, ip, detail), ',' ORDER BY id) FROM authd.audit"
			+ " WHERE event = 'forbidden'");

		refused(await authd.get("/users", { cookie: jar }), 403, "forbidden");
		assert.equal(await told(), "bob 192.0.2.1 GET /api/v1/users");
		for (let i = 0; i < 40; i++)
			refused(await authd.post("/users", {}, { cookie: jar }), 403, "forbidden");
		assert.equal(await pg.sql("SELECT count(*) FROM authd.audit WHERE event = 'forbidden'"), "30");
	});

	test("that cannot be written stops what it would tell about", async (t) => {
		const authd = await freshAuthd(t);
		const jar = await signedIn(authd);
		const logins = () => pg.sql("SELECT count(*) FROM authd.logins");

		await pg.sql("REVOKE INSERT (event) ON authd.audit FROM stead_authd");
		t.after(() => pg.sql("GRANT INSERT (event) ON authd.audit TO stead_authd"));
		refused(await authd.signIn(), 500, "internal");
		refused(await authd.post("/logout", {}, { cookie: jar }), 500, "internal");
		refused(await authd.post("/users", { name: "bob", password: OTHER }, { cookie: jar }), 500, "internal");
		assert.equal(await logins(), "1");
		assert.equal(await pg.sql("SELECT count(*) FROM authd.users"), "1");
		assert.equal((await authd.get("/account", { cookie: jar })).status, 200);
		await authd.logged(/error: .*permission denied/);
	});
});
