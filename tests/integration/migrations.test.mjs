/* Each daemon's tables on their way up and back while rows stand in them: what people have stays, what would do harm does not. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startPostgres } from "../lib/postgres.mjs";

let pg;

before(async () => {
	pg = await startPostgres();
});
after(() => pg?.stop());

const BOOKING = (key, state, more = "") => `INSERT INTO jobs.bookings (user_id, key, site, action, title, inputs, state${more && ", "
	+ more.split("=")[0]}) VALUES (7, '${key}', 'desk', 'book', 'A desk', '{}', '${state}'${more && `, ${more.split("=")[1]}`})`;
const bookings = () => pg.sql(`SELECT string_agg(concat_ws(' ', key, state, outcome), ', ' ORDER BY id) FROM jobs.bookings`);

test("botd's: bookings stay, and one whose act may have been sent is not sent by an older botd", async () => {
	await pg.migrate("botd", ["down", "--to", "4"]);
	await pg.sql(BOOKING("waits", "queued"));
	await pg.sql(BOOKING("sent", "queued", "intent_at=now()"));
	await pg.sql(BOOKING("again", "queued", "intent_at, again=now(), true"));
	await pg.sql(BOOKING("ended", "cancelled", "intent_at=now()"));
	await pg.sql("INSERT INTO jobs.turns VALUES (7, 'desk', now()); INSERT INTO jobs.audit (event) VALUES ('steadctl')");
	await pg.migrate("botd", ["down", "--to", "3"]);
	assert.equal(await pg.sql("SELECT string_agg(key, ' ') FROM jobs.bookings WHERE held"), "sent");
	await pg.migrate("botd", ["up"]);
	assert.equal(await pg.sql("SELECT string_agg(key, ' ' ORDER BY id) FROM jobs.bookings JOIN jobs.jobs USING (id) WHERE look_until > now()"), "sent again",
		"what may have been sent is looked for");
	await pg.migrate("botd", ["down", "--to", "1"]);
	assert.equal(await bookings(), "waits queued, sent done unconfirmed, again done unconfirmed, ended cancelled");
	assert.match(await pg.sql("SELECT reason FROM jobs.bookings WHERE key = 'sent'"), /may have been sent/);
	assert.equal(await pg.sql("SELECT relforcerowsecurity FROM pg_class WHERE oid = 'jobs.bookings'::regclass"), "t");
	await pg.migrate("botd", ["up"]);
	assert.equal(await pg.sql("SELECT count(*) FROM jobs.bookings WHERE again OR look_until IS NOT NULL"), "0");
	await pg.migrate("botd", ["down", "--to", "0"]);
	await pg.migrate("botd", ["up"]);
});

test("botd's: bookings become jobs with all that is theirs, in line, and bookings again; other jobs do not come back", async () => {
	const now = () => pg.sql(`SELECT string_agg(concat_ws(' ', id, key, state, lane, outcome, attempt, failures, last_line), ', ' ORDER BY id)
		FROM jobs.jobs`);
	const before = () => pg.sql(`SELECT string_agg(concat_ws(' ', id, key, state, outcome, attempt, failures, last_line), ', ' ORDER BY id)
		FROM jobs.bookings`);
	const theirs = () => pg.sql("SELECT (SELECT string_agg(text, ' ' ORDER BY text) FROM jobs.lines) || (SELECT min(jpeg::text) FROM jobs.pictures)");

	await pg.migrate("botd", ["down", "--to", "4"]);
	for (const [key, state, more] of [["a", "queued"], ["b", "running", "attempt=3"], ["c", "needs_sign_in"], ["d", "done", "outcome='full'"],
		["e", "queued", "due_at=now() + interval '1 d'"]])
		await pg.sql(BOOKING(key, state, more));
	await pg.sql(`INSERT INTO jobs.lines (booking_id, n, user_id, attempt, level, text) SELECT id, 1, 7, 0, 'info', key FROM jobs.bookings;
		UPDATE jobs.bookings SET last_line = 1;
		INSERT INTO jobs.pictures (booking_id, user_id, attempt, jpeg) SELECT id, 7, 0, 'JPEG' FROM jobs.bookings WHERE key = 'd'`);
	const were = await before(), had = await theirs();

	await pg.migrate("botd", ["up"]);
	assert.equal(await now(), "1 a behind desk 0 0 1, 2 b running desk 3 0 1, 3 c waiting desk 0 0 1, 4 d done desk full 0 0 1, "
		+ "5 e scheduled desk 0 0 1");
	assert.equal(await theirs(), had);
	await pg.sql("INSERT INTO jobs.jobs (user_id, kind, queue) VALUES (7, 'other', 'x')");
	await pg.sql("INSERT INTO jobs.lines (job_id, n, user_id, attempt, level, text) SELECT max(id), 1, 7, 0, 'info', 'gone' FROM jobs.jobs");
	await pg.migrate("botd", ["down", "--to", "4"]);
	assert.equal(await before(), were);
	assert.equal(await theirs(), had);
	for (const table of ["bookings", "lines", "pictures"])
		assert.equal(await pg.sql(`SELECT relforcerowsecurity FROM pg_class WHERE oid = 'jobs.${table}'::regclass`), "t");
	await pg.sql(BOOKING("f", "queued"));
	await pg.migrate("botd", ["up"]);
	assert.equal(await pg.sql("SELECT relforcerowsecurity FROM pg_class WHERE oid = 'jobs.jobs'::regclass"), "t");
	await pg.sql("DELETE FROM jobs.jobs");
});

test("botd's pictures: those that there are stay, to be sealed; on the way back those that are sealed go", async () => {
	const pictures = () => pg.sql("SELECT string_agg(concat_ws(' ', job_id, plain, b.picture), ', ' ORDER BY job_id) FROM jobs.pictures JOIN jobs.bookings b ON b.id = job_id");

	await pg.migrate("botd", ["down", "--to", "5"]);
	for (const id of [91, 92])
		await pg.sql(`INSERT INTO jobs.jobs (id, user_id, kind, queue) VALUES (${id}, 7, 'booking', 'desk');
			INSERT INTO jobs.bookings (id, user_id, site, action, title, inputs, picture) VALUES (${id}, 7, 'desk', 'book', 'A desk', '{}', true);
			INSERT INTO jobs.pictures (job_id, user_id, attempt, jpeg) VALUES (${id}, 7, 1, 'JPEG')`);
	await pg.migrate("botd", ["up"]);
	assert.equal(await pictures(), "91 t t, 92 t t");
	await assert.rejects(pg.sql("UPDATE jobs.pictures SET sealed = 'x'"), /pictures_kept/);
	await assert.rejects(pg.sql("BEGIN; SET LOCAL ROLE stead_operator; SELECT jpeg FROM jobs.pictures"), /permission denied/);
	await pg.sql("UPDATE jobs.pictures SET sealed = 'sealed', jpeg = NULL WHERE job_id = 91");
	await pg.migrate("botd", ["down", "--to", "5"]);
	assert.equal(await pg.sql("SELECT string_agg(id || ' ' || picture, ', ' ORDER BY id) FROM jobs.bookings"), "91 false, 92 true");
	assert.equal(await pg.sql("SELECT string_agg(job_id::text, ' ') FROM jobs.pictures"), "92");
	assert.equal(await pg.sql("SELECT bool_and(relforcerowsecurity) FROM pg_class WHERE oid IN ('jobs.pictures'::regclass, 'jobs.bookings'::regclass)"), "t");
	await pg.migrate("botd", ["up"]);
});

test("botd's: plans go, and the bookings that they have asked for stay", async () => {
	await pg.sql(`WITH j AS (INSERT INTO jobs.jobs (user_id, kind, queue, lane, key) VALUES (7, 'booking', 'desk', 'desk', 'plan 1 0') RETURNING id),
		b AS (INSERT INTO jobs.bookings (id, user_id, site, action, title, inputs) SELECT id, 7, 'desk', 'book', 'A desk', '{}' FROM j),
		p AS (INSERT INTO jobs.plans (user_id, key, site, action, title, inputs, time_zone, days, times, first_day, missed) VALUES
			(7, 'k', 'desk', 'book', 'A desk', '{}', 'UTC', '{1}', '{08:00}', '2026-01-01', 'skip') RETURNING id)
		INSERT INTO jobs.plan_runs (plan_id, at, user_id, day, became, job_id) SELECT p.id, now(), 7, '2026-01-01', 'asked', j.id FROM p, j`);
	for (const table of ["plans", "plan_runs"])
		assert.equal(await pg.sql(`SELECT relforcerowsecurity FROM pg_class WHERE oid = 'jobs.${table}'::regclass`), "t");
	assert.equal(await pg.sql("SELECT count(*) FROM jobs.plans", { role: "stead_botd" }), "0", "without a person there is nothing");
	await assert.rejects(pg.sql("BEGIN; SET LOCAL ROLE stead_claimer; SELECT inputs FROM jobs.plans", { role: "stead_botd" }), /permission denied/);
	await pg.migrate("botd", ["down", "--to", "6"]);
	assert.equal(await pg.sql("SELECT string_agg(key, ' ') FROM jobs.jobs"), "plan 1 0");
	await pg.migrate("botd", ["up"]);
	assert.equal(await pg.sql("SELECT count(*) FROM jobs.plans"), "0");
	await pg.sql("DELETE FROM jobs.jobs");
});

test("authd's: logins stay, and tell of their end once again", async () => {
	await pg.sql(`INSERT INTO authd.users (name, password) VALUES ('alice', '$argon2id$');
		INSERT INTO authd.logins (hash, name, user_id, expires_at) SELECT sha256('a'), 'l1', id, now() + interval '1 h' FROM authd.users`);
	await pg.migrate("authd", ["down", "--to", "3"]);
	await pg.migrate("authd", ["up"]);
	const session = pg.session();

	await session.sql("LISTEN authd_login_ended");
	await pg.sql("DELETE FROM authd.users"); /* an account takes its logins along */
	assert.match(await session.sql("SELECT 1") + await session.sql("SELECT 2"), /"authd_login_ended" with payload "l1"/);
	assert.equal(await pg.sql("SELECT count(*) FROM authd.logins"), "0");
	session.end();
});

test("sessiond's: its audit can be added to and read, and no more, by whom it is for", async () => {
	const as = (role, sql) => pg.sql(sql, { role });

	await pg.migrate("sessiond", ["down", "--to", "1"]);
	await pg.migrate("sessiond", ["up"]);
	await as("stead_sessiond", "INSERT INTO vault.audit (event, detail) VALUES ('steadctl', 'x')");
	await as("stead_sessiond", "BEGIN; SET LOCAL \"stead.user\" = 7; INSERT INTO vault.audit (event, user_id) VALUES ('x', 7); COMMIT");
	for (const sql of ["SELECT count(*) FROM vault.audit", "DELETE FROM vault.audit", "UPDATE vault.audit SET event = 'y'",
		"INSERT INTO vault.audit (event, at) VALUES ('x', now())", "INSERT INTO vault.audit (event, user_id) VALUES ('x', 8)"])
		await assert.rejects(as("stead_sessiond", sql), /permission denied|row-level security/, sql);
	assert.equal(await as("stead_sessiond", "BEGIN; SET LOCAL ROLE stead_operator; SELECT count(*) FROM vault.audit; COMMIT"), "2");
});

const SESSION = (id, health, more = "", values = "") => `INSERT INTO vault.sessions (id, user_id, site, kind, fingerprint, account,
	version, health, reason, protected, saved_at, proved_at, key_id, envelope${more}) VALUES (${id}, 7, 's${id}', 'background', 'bg-${id}',
	'a', 3, '${health}', ${["healthy", "working"].includes(health) ? "NULL" : "'x'"}, true, now(), now(), 1, 'old'${values})`;
const sessions = (columns) => pg.sql(`SELECT string_agg(concat_ws(' ', id, health, ${columns}), ', ' ORDER BY id) FROM vault.sessions`);

test("sessiond's sessions: one state becomes the proved one of two; on the way back the newer stays, as an older sessiond would keep it",
	async () => {
		await pg.migrate("sessiond", ["down", "--to", "2"]);
		for (const [id, health] of [[1, "healthy"], [2, "suspect"], [3, "needs_sign_in"]])
			await pg.sql(SESSION(id, health));
		await pg.migrate("sessiond", ["up"]);
		assert.equal(await sessions("version, last_version"), "1 working 3 3, 2 unproved 3 3, 3 needs_sign_in 3 3");
		assert.equal(await pg.sql("SELECT relforcerowsecurity FROM pg_class WHERE oid = 'vault.sessions'::regclass"), "t");
		await pg.sql(`UPDATE vault.sessions SET last_version = 5, newest_version = 5, newest_at = now(), newest_key_id = 2,
			newest_envelope = 'new' WHERE id = 1`);
		await pg.sql(SESSION(4, "site_down", ", last_version, proof_at", ", 9, now()"));
		await pg.sql(SESSION(5, "wrong_account", ", last_version, proof_at", ", 3, now()"));
		await pg.migrate("sessiond", ["down", "--to", "2"]);
		assert.equal(await sessions("version, key_id, convert_from(envelope, 'UTF8')"), "1 healthy 5 2 new, 2 suspect 3 1 old, "
			+ "3 needs_sign_in 3 1 old, 4 suspect 3 1 old, 5 needs_sign_in 3 1 old");
		assert.equal(await pg.sql("SELECT relforcerowsecurity FROM pg_class WHERE oid = 'vault.sessions'::regclass"), "t");
		await pg.migrate("sessiond", ["up"]);
		await pg.sql("DELETE FROM vault.sessions");
	});

test("sessiond's leases: no token that a session has had is given again", async () => {
	await pg.migrate("sessiond", ["down", "--to", "4"]);
	await pg.sql(SESSION(6, "working", ", last_version, lease_token", ", 3, 41"));
	await pg.migrate("sessiond", ["down", "--to", "3"]);
	await pg.migrate("sessiond", ["up"]);
	assert.equal(await pg.sql("SELECT nextval('vault.lease_tokens')", { role: "stead_sessiond" }), "42");
	assert.equal(await pg.sql("SELECT relforcerowsecurity FROM pg_class WHERE oid = 'vault.sessions'::regclass"), "t");
	await pg.sql("DELETE FROM vault.sessions");
});

test("sessiond's: who has planned a sign-in needs one for an older sessiond", async () => {
	await pg.migrate("sessiond", ["down", "--to", "5"]);
	await pg.sql(SESSION(7, "planned_sign_in", ", last_version", ", 3"));
	await pg.migrate("sessiond", ["down", "--to", "4"]);
	assert.equal(await sessions("version"), "7 needs_sign_in 3");
	assert.equal(await pg.sql("SELECT relforcerowsecurity FROM pg_class WHERE oid = 'vault.sessions'::regclass"), "t");
	await pg.migrate("sessiond", ["up"]);
	await pg.sql("DELETE FROM vault.sessions");
});

test("sessiond's devices: sessions that there are become background ones, protected; on the way back those of devices go", async () => {
	const stead = (sql) => pg.sql(`BEGIN; SET LOCAL "stead.user" = 7; ${sql}; COMMIT`, { role: "stead_sessiond" });

	await pg.migrate("sessiond", ["down", "--to", "5"]);
	await pg.sql(SESSION(8, "working", ", last_version", ", 3"));
	await pg.migrate("sessiond", ["up"]);
	assert.equal(await pg.sql("SELECT used_at = saved_at FROM vault.sessions"), "t");
	assert.equal(await stead("WITH d AS (DELETE FROM vault.sessions RETURNING 1) SELECT count(*) FROM d"), "0");
	for (const [kind, fingerprint, guarded] of [["device", "bg-9", false], ["background", "d9", true], ["device", "d9", true]])
		await assert.rejects(pg.sql(SESSION(9, "working", ", last_version, proof_at", ", 3, now()").replace("'background', 'bg-9'",
			`'${kind}', '${fingerprint}'`).replace("true, now()", `${guarded}, now()`)), /sessions_protected/, fingerprint);
	for (const site of ["s8", "x"])
		await pg.sql(SESSION(site === "x" ? 10 : 9, "working", ", last_version, proof_at", ", 3, now()")
			.replace(/'s\d+', 'background', 'bg-\d+'/, `'${site}', 'device', 'd'`).replace("true, now()", "false, now()"));
	assert.equal(await sessions("kind"), "8 working background, 9 working device, 10 working device");
	await pg.migrate("sessiond", ["down", "--to", "5"]);
	assert.equal(await sessions("kind"), "8 working background");
	assert.equal(await pg.sql("SELECT relforcerowsecurity FROM pg_class WHERE oid = 'vault.sessions'::regclass"), "t");
	await pg.migrate("sessiond", ["up"]);
	await pg.sql("DELETE FROM vault.sessions");
});

test("sessiond's format 2: what is there is of format 1; on the way back what is of format 2 needs its person, and stays as it is",
	async () => {
		await pg.migrate("sessiond", ["down", "--to", "6"]);
		await pg.sql(SESSION(11, "working", ", last_version", ", 3"));
		await pg.sql(SESSION(12, "working", ", last_version", ", 3"));
		await pg.migrate("sessiond", ["up"]);
		assert.equal(await sessions("format, proof_at = proved_at"), "11 working 1 t, 12 working 1 t");
		await pg.sql(`UPDATE vault.sessions SET format = 2, envelope = '\\x53544502', proof_at = '2026-01-01 00:00:00.123Z',
			proved_at = '2026-02-02' WHERE id = 12`);
		await pg.migrate("sessiond", ["down", "--to", "6"]);
		assert.equal(await sessions("proved_at = '2026-01-01 00:00:00.123Z'"), "11 working f, 12 needs_sign_in t");
		assert.equal(await pg.sql("SELECT relforcerowsecurity FROM pg_class WHERE oid = 'vault.sessions'::regclass"), "t");
		await pg.migrate("sessiond", ["up"]);
		assert.equal(await sessions("format, proof_at = '2026-01-01 00:00:00.123Z'"), "11 working 1 f, 12 needs_sign_in 2 t");
		await pg.sql("DELETE FROM vault.sessions");
	});

test("botd's audit: the same", async () => {
	const as = (sql) => pg.sql(sql, { role: "stead_botd" });

	await as("INSERT INTO jobs.audit (event, detail) VALUES ('steadctl', 'x')");
	for (const sql of ["SELECT count(*) FROM jobs.audit", "DELETE FROM jobs.audit", "UPDATE jobs.audit SET event = 'y'",
		"INSERT INTO jobs.audit (event, at) VALUES ('x', now())"])
		await assert.rejects(as(sql), /permission denied/, sql);
	assert.equal(await as("BEGIN; SET LOCAL ROLE stead_operator; SELECT count(*) FROM jobs.audit; COMMIT"), "1");
});
