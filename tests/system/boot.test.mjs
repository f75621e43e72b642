/* Stead's own units on a live systemd: real users, real sockets, PostgreSQL, nginx with TLS. Needs root. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { bootGuest } from "./guest.mjs";

const DAEMONS = ["authd", "streamd", "sessiond", "botd"];
/* Whose each socket is: the group in the file system and the uid that the daemon asks the kernel for. */
const SOCKETS = {
	"authd/http": "www-data", "authd/stream": "stead-streamd", "authd/control": "root",
	"streamd/http": "www-data", "streamd/front": "stead-authd", "streamd/bot": "stead-botd", "streamd/control": "root",
	"sessiond/front": "stead-authd", "sessiond/stream": "stead-streamd", "sessiond/bot": "stead-botd", "sessiond/control": "root",
	"botd/front": "stead-authd", "botd/stream": "stead-streamd", "botd/control": "root",
};
/* systemd-analyze security: 0 is nothing exposed, 10 everything. botd has a network, for it asks sites. */
const EXPOSURE = { authd: 1, sessiond: 1, streamd: 1, botd: 1.3, migrate: 1 };
const BACK_MS = 10_000;
const HOST = "https://stead.example.org";
const ADMIN = { name: "admin", password: "velvet-anchor-piano-93" };

let guest;

/* As a browser on that machine would, with nginx in between. Resolves to { status, headers, body }. */
async function request(path, { method = "GET", cookie, body } = {})
{
	const args = ["--silent", "--include", "--max-time", "20", "--cacert", "/etc/ssl/stead/fullchain.pem",
		"--resolve", "stead.example.org:443:127.0.0.1", "--request", method, "--header", `Origin: ${HOST}`,
		"--http1.1", ...(cookie ? ["--cookie", cookie] : []),
		...(body ? ["--header", "Content-Type: application/json", "--data", JSON.stringify(body)] : []), `${HOST}${path}`];
	const text = await guest.run("curl", ...args);
	const [head, ...rest] = text.split("\r\n\r\n");

	return { status: Number(head.split(" ")[1]), headers: head, body: rest.join("\r\n\r\n") };
}

/* Resolves to the login cookie. */
async function signIn()
{
	const answer = await request("/api/v1/login", { method: "POST", body: ADMIN });

	assert.equal(answer.status, 200, answer.headers + answer.body);
	return /^set-cookie: (__Host-stead=[^;]+);.*Secure/im.exec(answer.headers)[1];
}

/*
 * What becomes of a connection by that user to a socket: "EACCES" where the file system refuses, "closed" where the
 * daemon does, "served" where it answers the first exchange.
 */
async function connection(user, group, socket)
{
	const script = `
		const socket = require("net").connect("/run/stead/${socket}");
		const say = (word) => { console.log(word); process.exit(); };
		const hello = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "hello", params: { version: 2 } }));
		const head = Buffer.alloc(4);
		head.writeUInt32BE(hello.length);
		socket.on("error", (error) => say(error.code === "EPIPE" || error.code === "ECONNRESET" ? "closed" : error.code));
		socket.on("data", () => say("served")).on("close", () => say("closed"));
		socket.write(Buffer.concat([head, hello]));
		setTimeout(say, 5000, "silent");`;

	return guest.run("setpriv", `--reuid=${user}`, `--regid=${group}`, "--clear-groups", "node", "-e", script);
}

/* A sign-in once its browser has started, or has not. */
async function settled(id, cookie)
{
	const since = performance.now();

	for (;;) {
		const { stream } = JSON.parse((await request(`/api/v1/streams/${id}`, { cookie })).body);

		if (stream.step !== "starting")
			return stream;
		assert.ok(performance.now() - since < 30_000, "the browser neither starts nor fails");
	}
}

async function property(unit, name)
{
	return guest.run("systemctl", "show", "--value", "--property", name, unit);
}

/* Resolves once steadctl hears from a daemon, to ms. */
async function answersAgain(name, since)
{
	for (;;) {
		const { stdout } = await guest.attempt("steadctl", "status");

		if (new RegExp(`^${name}\\nversion`, "m").test(stdout))
			return performance.now() - since;
		assert.ok(performance.now() - since < 10_000, `${name} does not answer`);
	}
}

describe("Stead on systemd", { timeout: 1_500_000 }, () => {
	before(async () => {
		guest = await bootGuest();
	}, { timeout: 600_000 });
	after(() => guest?.stop());

	it("starts every unit", async () => {
		for (const name of DAEMONS)
			assert.equal(await guest.run("systemctl", "is-active", `stead-${name}.service`), "active");
		assert.equal(await guest.run("systemctl", "is-active", "stead.target", "stead-launcher.socket", "nginx.service"),
			"active\nactive\nactive");
		assert.equal(await guest.run("systemctl", "--failed", "--plain", "--no-legend"), "");
		assert.match(await guest.run("steadctl", "status"), /^All well\.\n[^]*master key +1/);
	});

	it("has units that systemd finds nothing wrong with", async () => {
		const files = (await guest.run("sh", "-c", "ls /usr/lib/systemd/system/stead*")).split("\n");
		const { stderr } = await guest.attempt("systemd-analyze", "verify", ...files.filter((file) => !file.includes("@")));

		assert.doesNotMatch(stderr, /stead/);
	});

	it("exposes little", async () => {
		for (const [name, most] of Object.entries(EXPOSURE)) {
			const text = await guest.run("systemd-analyze", "security", "--no-pager", `stead-${name}.service`);
			const level = Number(/exposure level.*: ([\d.]+)/.exec(text)[1]);

			assert.ok(level <= most, `stead-${name}.service: ${level}, at most ${most}`);
		}
	});

	it("lets each daemon read its own settings and nobody else's", async () => {
		const reads = (user, file) => guest.attempt("setpriv", `--reuid=${user}`, `--regid=${user === "nobody" ? "nogroup" : user}`,
			"--clear-groups", "cat", `/etc/stead/${file}`).then(({ status }) => status === 0);

		for (const name of DAEMONS) {
			assert.equal(await guest.run("stat", "-c", "%U:%G %a", `/etc/stead/${name}.conf`), `root:stead-${name} 640`);
			for (const user of ["nobody", "www-data", ...DAEMONS.map((other) => `stead-${other}`)])
				assert.equal(await reads(user, `${name}.conf`), user === `stead-${name}`, `${user}, ${name}.conf`);
		}
		assert.equal(await guest.run("stat", "-c", "%U:%G %a", "/etc/stead/stead.conf"), "root:root 644");
		await guest.run("sh", "-c", "install -m 0644 /dev/null /etc/stead/migrate.env && systemd-tmpfiles --create stead.conf");
		assert.equal(await guest.run("stat", "-c", "%U:%G %a", "/etc/stead/migrate.env"), "root:root 600");
		await guest.run("rm", "/etc/stead/migrate.env");
	});

	it("shows no connection string on a command line", async () => {
		assert.equal(await guest.run("sh", "-c", "cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\\0' '\\n' | grep -a user=[s]tead_ || true"), "");
		for (const file of ["authd", "streamd", "sessiond", "botd", "migrate"])
			assert.doesNotMatch(await guest.run("systemctl", "cat", `stead-${file}.service`), /^ExecStart=.*(DATABASE|--database|--set)/m);
	});

	it("gives no daemon a network but the one that asks sites", async () => {
		const own = await guest.run("readlink", "/proc/1/ns/net");

		for (const name of DAEMONS.filter((one) => one !== "botd")) {
			const net = await guest.run("readlink", `/proc/${await property(`stead-${name}.service`, "MainPID")}/ns/net`);

			assert.notEqual(net, own, name);
			assert.equal(await property(`stead-${name}.service`, "RestrictAddressFamilies"), "AF_UNIX");
			assert.equal(await property(`stead-${name}.service`, "PrivateNetwork"), "yes");
		}
		assert.match(await property("stead-botd.service", "IPAddressDeny"), /169\.254\.169\.254/);
	});

	it("says so when others can read a password, or when nobody checks whom the database is", async () => {
		const conf = "/etc/stead/botd.conf", kept = "/root/botd.conf";
		const since = (await guest.run("date", "+%s")).trim();

		await guest.run("sh", "-c", `cp -a ${conf} ${kept} && echo 'database = host=192.0.2.5 dbname=stead user=stead_botd password=wrong' >> ${conf} &&
			chmod 0644 ${conf} && systemctl restart stead-botd.service`);
		const said = await guest.run("journalctl", "--no-pager", "-u", "stead-botd.service", `--since=@${since}`);

		assert.match(said, /Everybody on this machine can read \/etc\/stead\/botd\.conf/);
		assert.match(said, /set sslmode=verify-full/);
		assert.doesNotMatch(said, /password=wrong/);
		await guest.run("sh", "-c", `cp -a ${kept} ${conf} && systemctl restart stead-botd.service`);
		await answersAgain("botd", performance.now());
	});

	it("does not start a daemon whose settings differ from what all share", async () => {
		const conf = "/etc/stead/streamd.conf", kept = "/root/streamd.conf";

		await guest.run("sh", "-c", `cp -a ${conf} ${kept} && echo 'origin = https://other.example.org' >> ${conf}`);
		const { status, stderr } = await guest.attempt("setpriv", "--reuid=stead-streamd", "--regid=stead-streamd", "--clear-groups",
			"/usr/lib/stead/streamd", "--config", conf);

		assert.notEqual(status, 0);
		assert.match(stderr, /"origin" stands in \/etc\/stead\/streamd\.conf and, differently, in \/etc\/stead\/stead\.conf/);
		await guest.run("cp", "-a", kept, conf);
	});

	it("runs each daemon as a user of its own, with its memory off the swap", async () => {
		const users = new Set();

		for (const name of DAEMONS) {
			const pid = await property(`stead-${name}.service`, "MainPID");

			users.add(await guest.run("stat", "-c", "%U", `/proc/${pid}`).catch(() => name));
			assert.equal(await property(`stead-${name}.service`, "User"), `stead-${name}`);
			assert.equal(await property(`stead-${name}.service`, "MemorySwapMax"), "0");
			assert.equal(await property(`stead-${name}.service`, "Slice"), "stead.slice");
			assert.equal(await property(`stead-${name}.service`, "LimitCORE"), "0");
			assert.notEqual(await property(`stead-${name}.service`, "MemoryMax"), "infinity");
		}
		assert.equal(users.size, DAEMONS.length);
		assert.equal(await property("stead-sessiond.service", "LimitMEMLOCK"), String(256 << 20));
	});

	it("loads recipes anew on reload, in the processes that there are", async () => {
		const pids = () => guest.run("systemctl", "show", "--value", "--property", "MainPID", "stead-streamd.service", "stead-botd.service");
		const sites = async () => JSON.parse(await guest.run("steadctl", "site", "list", "--json")).sites.map(({ name }) => name);
		const was = await pids(), since = performance.now();

		await guest.run("sh", "-c", "mkdir -p /etc/stead/sites && cp /usr/share/stead/sites/spaceiq.json /etc/stead/sites/second.json");
		await guest.run("systemctl", "reload", "stead-streamd.service", "stead-botd.service");
		while (!(await sites()).includes("second"))
			assert.ok(performance.now() - since < 10_000, "botd does not know the new recipe");
		await guest.run("rm", "/etc/stead/sites/second.json");
		assert.match(await guest.run("steadctl", "site", "reload"), /^streamd:\nrecipes +1\nNo troubles\.\n\nbotd:\nrecipes +1\n/);
		assert.ok(!(await sites()).includes("second"));
		assert.equal(await pids(), was);
	});

	it("signs in through nginx, with the page's policy and a cookie for this host alone", async () => {
		const page = await request("/");

		assert.equal(page.status, 200);
		assert.match(page.headers, /content-security-policy: default-src 'none'/i);
		assert.match(page.headers, /strict-transport-security: max-age/i);
		const cookie = await signIn();
		const account = await request("/api/v1/account", { cookie });

		assert.equal(JSON.parse(account.body).name, ADMIN.name);
		assert.equal((await request("/api/v1/account")).status, 401);
		for (const path of ["/api/v1/sites", "/api/v1/sessions", "/api/v1/streams", "/api/v1/bookings"])
			assert.equal((await request(path, { cookie })).status, 200, path);
	});

	it("makes the first administrator from its credentials and leaves them to nobody", async () => {
		const environment = await guest.run("sh", "-c",
			`tr '\\0' '\\n' < /proc/${await property("stead-authd.service", "MainPID")}/environ`);

		assert.doesNotMatch(environment, /velvet/);
		assert.equal((await guest.attempt("setpriv", "--reuid=stead-botd", "--regid=stead-botd", "--clear-groups", "cat",
			"/etc/stead/credentials/master-key")).status, 1);
		const seen = await guest.attempt("setpriv", "--reuid=stead-botd", "--regid=stead-botd", "--clear-groups", "ls",
			"/run/credentials/stead-sessiond.service");

		assert.notEqual(seen.status, 0);
	});

	for (const [socket, owner] of Object.entries(SOCKETS)) {
		it(`lets nobody else into ${socket}`, async () => {
			assert.equal(await guest.run("stat", "-c", "%U:%G %a", `/run/stead/${socket}`), `root:${owner} 660`);
			assert.equal(await guest.run("stat", "-c", "%U:%G %a", `/run/stead/${socket.split("/")[0]}`), "root:root 755");
			for (const other of ["nobody", "www-data", "stead-authd", "stead-streamd", "stead-sessiond", "stead-botd"])
				if (other !== owner)
					assert.equal(await connection(other, other === "nobody" ? "nogroup" : other, socket), "EACCES", other);
			if (socket.endsWith("/http"))
				return;
			assert.equal(await connection("nobody", owner, socket), "closed", "the right group is not the right user");
			assert.equal(await connection(owner, owner, socket), "served");
		});
	}

	it("keeps the daemons apart in PostgreSQL", async () => {
		const psql = (user, role, statement) => guest.attempt("setpriv", `--reuid=${user}`, "--regid=nogroup", "--clear-groups",
			"psql", "-h", "/run/postgresql", "-X", "-A", "-t", "-U", role, "-d", "stead", "-c", statement);

		assert.equal((await psql("stead-sessiond", "stead_sessiond", "SELECT count(*) FROM vault.sessions")).check(), "0");
		assert.match((await psql("stead-authd", "stead_sessiond", "SELECT 1")).stderr, /Peer authentication failed/);
		assert.match((await psql("stead-botd", "stead_botd", "SELECT 1 FROM vault.sessions")).stderr, /permission denied/);
		assert.match((await psql("stead-authd", "stead_authd", "SELECT 1 FROM jobs.bookings")).stderr, /permission denied/);
		assert.match((await psql("stead-sessiond", "stead_sessiond", "SELECT 1 FROM authd.users")).stderr, /permission denied/);
		assert.match((await psql("nobody", "stead_botd", "SELECT 1")).stderr, /Peer authentication failed/);
	});

	it("shows a daemon no row of anybody it does not act for", async () => {
		const sql = (user, text) => guest.as(user, "psql", "-h", "/run/postgresql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
			"-U", user.replace("-", "_"), "-d", "stead", "-c", text);
		const forced = await sql("postgres", `SELECT string_agg(c.oid::regclass::text, ' ') FROM pg_class c JOIN pg_namespace n
			ON n.oid = relnamespace WHERE nspname IN ('vault', 'jobs') AND relkind = 'r' AND NOT (relrowsecurity AND relforcerowsecurity)
			AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('user_id', 'owner'))`);

		assert.equal(forced, "", "these tables hold somebody's rows and do not force row-level security");
		const cookie = await signIn();
		const made = await request("/api/v1/bookings", { method: "POST", cookie, body: { key: "one", site: "spaceiq", action: "book",
			inputs: { date: new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10), building: "1", floor: "1", desk: "A1" } } });

		assert.equal(made.status, 200, made.body);
		const count = "SELECT count(*) FROM jobs.bookings";

		assert.equal(await sql("stead-botd", count), "0");
		assert.equal(await sql("stead-botd", `BEGIN; SELECT set_config('stead.user', '1', true) <> ''; ${count}; COMMIT`), "t\n1");
		assert.equal(await sql("stead-botd", `BEGIN; SELECT set_config('stead.user', '2', true) <> ''; ${count}; COMMIT`), "t\n0");
	});

	for (const name of DAEMONS) {
		it(`has ${name} back within two seconds of a kill`, async () => {
			const before = await property(`stead-${name}.service`, "MainPID");
			const since = performance.now();

			await guest.run("systemctl", "kill", "--signal=KILL", "--kill-whom=main", `stead-${name}.service`);
			const ms = await answersAgain(name, since);

			assert.notEqual(await property(`stead-${name}.service`, "MainPID"), before);
			assert.ok(ms < BACK_MS, `${name} was back after ${Math.round(ms)} ms`);
		});
	}

	it("still serves everybody after that", async () => {
		const cookie = await signIn();

		for (const path of ["/api/v1/sites", "/api/v1/sessions", "/api/v1/streams"])
			assert.equal((await request(path, { cookie })).status, 200, path);
	});

	it("ends a daemon that hangs", async () => {
		const before = await property("stead-botd.service", "MainPID");

		await guest.run("sh", "-c", `mkdir -p /run/systemd/system/stead-botd.service.d &&
			printf '[Service]\\nWatchdogSec=1\\n' > /run/systemd/system/stead-botd.service.d/test.conf && systemctl daemon-reload &&
			systemctl restart stead-botd.service`);
		await guest.run("systemctl", "kill", "--signal=STOP", "--kill-whom=main", "stead-botd.service");
		await answersAgain("botd", performance.now());
		assert.notEqual(await property("stead-botd.service", "MainPID"), before);
		assert.match(await guest.run("journalctl", "--no-pager", "-u", "stead-botd.service"), /[Ww]atchdog timeout/);
	});

	it("gives each browser a unit and a user of its own, and leaves nothing of it", async () => {
		const cookie = await signIn();
		const opened = await request("/api/v1/streams", { method: "POST", cookie, body: { site: "spaceiq" } });

		assert.equal(opened.status, 200, opened.body);
		const { id } = JSON.parse(opened.body);
		const stream = await settled(id, cookie);

		assert.equal(stream.step, "waiting", stream.reason); /* Chromium runs in there, with its sandbox */
		const units = await guest.run("systemctl", "--plain", "--no-legend", "list-units", "stead-launcher@*");
		const unit = units.split(" ")[0];

		assert.match(unit, /^stead-launcher@.*\.service$/);
		assert.equal(await property(unit, "DynamicUser"), "yes");
		assert.equal(await property(unit, "Slice"), "stead-browsers.slice");
		const inside = (...words) => guest.run("sh", "-c",
			`nsenter -m -t $(systemctl show --value --property MainPID ${unit}) ${words.join(" ")}`);

		assert.match(await inside("cat", "/etc/chromium/policies/managed/stead.json"), /"URLBlocklist".*"file:\/\/\*"/);
		for (const place of ["/etc/stead", "/run/stead", "/run/postgresql"])
			assert.equal(await inside("stat", "-c", "%a", place), "0", `${place} is in the browser's view`);
		const owner = await guest.run("sh", "-c", `stat -c %u /proc/$(systemctl show --value --property MainPID ${unit})`);

		assert.ok(Number(owner) >= 61184, `the browser's user is ${owner}`);
		assert.equal((await request(`/api/v1/streams/${id}/close`, { method: "POST", cookie, body: {} })).status, 200);
		assert.equal(await guest.run("sh", "-c", "pgrep -c chromium || true"), "0");
		assert.match((await guest.attempt("steadctl", "status")).stdout, /browsers +0/);
	});

	it("refuses a socket that somebody planted", async () => {
		const planted = `mkdir -m 0777 -p /tmp/planted/sessiond && exec 3>&1; node -e '
			require("net").createServer().listen("/tmp/planted/sessiond/control", () => process.exit())'; true`;

		await guest.as("nobody", "sh", "-c", planted);
		const { status, stderr } = await guest.attempt("setpriv", "--reuid=stead-botd", "--regid=stead-botd", "--clear-groups",
			"/usr/lib/stead/botd", "--socket-dir", "/tmp/planted");
		const own = await guest.attempt("sh", "-c", `mkdir -p /tmp/planted/botd && chown stead-botd /tmp/planted/botd &&
			chmod 0777 /tmp/planted/botd && setpriv --reuid=stead-botd --regid=stead-botd --clear-groups \
			/usr/lib/stead/botd --socket-dir /tmp/planted`);

		assert.notEqual(status, 0);
		assert.match(stderr, /cannot listen|refusing to listen/);
		assert.notEqual(own.status, 0);
		assert.match(own.stderr, /refusing to listen at \/tmp\/planted\/botd\/\w+: .*remove it and start again/);
	});

	it("starts without PostgreSQL, says so, and finds it again", async () => {
		await guest.run("systemctl", "stop", "stead.target", "postgresql.service");
		await guest.run("systemctl", "start", "stead.target");
		assert.match((await guest.attempt("steadctl", "status")).stdout, /^authd\n(?:.*\n)*?database +no/m);
		assert.equal((await request("/api/v1/login", { method: "POST", body: ADMIN })).status, 503);
		await guest.run("systemctl", "start", "postgresql.service");
		for (let tries = 0; (await request("/api/v1/login", { method: "POST", body: ADMIN })).status !== 200; tries++)
			assert.ok(tries < 100, "authd has not found its database again");
	});

	it("stops in order: whoever saves something before whoever keeps it", async () => {
		const ended = async (name) => Number(await property(`stead-${name}.service`, "InactiveEnterTimestampMonotonic"));
		const stops_s = async (name) => Number(/^(?:(\d+)min ?)?(?:(\d+)s)?$/.exec(await property(`stead-${name}.service`,
			"TimeoutStopUSec")).slice(1).reduce((all, part) => all * 60 + Number(part ?? 0), 0));

		assert.match(await property("stead-launcher@any.service", "Before"), /\bstead-streamd\.service\b/);
		assert.ok(await stops_s("botd") >= 80, "closing and saving may take longer than that");
		await guest.run("systemctl", "stop", "stead.target");
		assert.ok(await ended("botd") <= await ended("streamd"), "botd was to stop before streamd");
		assert.ok(await ended("streamd") <= await ended("sessiond"), "streamd was to stop before sessiond");
		for (const name of DAEMONS) {
			assert.equal(await property(`stead-${name}.service`, "Result"), "success");
			assert.equal(await property(`stead-${name}.service`, "ActiveState"), "inactive");
		}
	});
});
