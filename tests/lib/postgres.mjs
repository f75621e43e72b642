/*
 * A private PostgreSQL for tests: in a directory of its own, on a Unix socket only, with Stead's roles and all
 * daemons' migrations applied. It ends when the test's process does, however that ends.
 *
 *	const pg = await startPostgres({ dir });
 *	spawn(".../botd", ["--set", `database=${pg.as("stead_botd")}`]);
 *	await pg.sql("SELECT count(*) FROM authd.audit");      // as superuser; text as psql -At prints it
 *	const other = pg.session();                            // a connection that stays: other.sql("BEGIN"), other.end()
 *	await pg.blocked(2);                                   // two statements of the daemons' wait for a lock
 *	await pg.restart();                                    // fast: sessions are told
 *	await pg.kill();                                       // as a crash: no farewell, recovery at the next pg.start()
 *
 * dir must exist; without it a new one is made below /tmp and removed by stop(). daemons says whose migrations to
 * apply, all if it is left out. settings are PostgreSQL's own, beside or instead of those of a test. Started by root,
 * PostgreSQL runs as "nobody", or as STEAD_TEST_USER names, since it refuses to be root.
 *
 * Whoever connects proves to be the operating system's user that started this (peer); pg_ident maps that one user to
 * Stead's roles.
 */
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../..");
const PG_BIN = process.env.PG_BIN ?? "/usr/lib/postgresql/15/bin";
const PROGRAMS = process.env.STEAD_PROGRAMS ?? join(ROOT, "build/plain/bin");
const USER = process.env.STEAD_TEST_USER ?? "nobody";
const ISOLATED = process.getuid() === 0;
const ROLES = ["postgres", "stead_migrate", "stead_authd", "stead_sessiond", "stead_botd"];
const LOG_LINES = 1000;
const BLOCKED_MS = 60_000;
/* A test's data need not outlive the machine. */
const TEST_SETTINGS = { fsync: "off", shared_buffers: "16MB" };
const SETTINGS = { listen_addresses: "", max_connections: "100", log_min_messages: "warning",
	log_error_verbosity: "terse" };
const SCHEMAS = { authd: "authd", sessiond: "vault", botd: "jobs" };

/* Becomes the user PostgreSQL may run as. The signal at the parent's death is set last: a change of user clears it. */
function dropped(program, args)
{
	const identity = ISOLATED ? [`--reuid=${USER}`, `--regid=${gid}`, "--clear-groups"] : [];

	return ["setpriv", [...identity, "--pdeathsig=QUIT", program, ...args]];
}

let uid = -1, gid = -1;

async function findUser()
{
	uid = Number((await run("id", ["-u", USER])).stdout);
	gid = Number((await run("id", ["-g", USER])).stdout);
}

/* One connection as superuser that stays open, so that it can hold locks. */
class Session {
	#child;

	#lines;

	#last = 0;

	constructor(dir)
	{
		this.#child = spawn(join(PG_BIN, "psql"), ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", dir, "-U", "postgres",
			"-d", "stead"], { stdio: ["pipe", "pipe", "inherit"] });
		this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
	}

	/* What it returned, as psql -At prints it, once it is done. */
	async sql(statement)
	{
		const mark = `done ${++this.#last}`, found = [];

		this.#child.stdin.write(`${statement};\n\\echo ${mark}\n`);
		for (;;) {
			const { value, done } = await this.#lines.next();

			if (done)
				throw new Error(`psql ended at: ${statement}`);
			if (value === mark)
				return found.join("\n");
			found.push(value);
		}
	}

	async end()
	{
		if (this.#child.exitCode !== null)
			return;
		this.#child.stdin.end();
		await once(this.#child, "exit");
	}
}

class Postgres {
	#child = null;

	#settings;

	#sessions = [];

	/* own: a directory to remove with it, or null. */
	constructor(dir, own, settings)
	{
		this.dir = dir;
		this.own = own;
		this.#settings = { ...SETTINGS, ...settings };
		this.log = []; /* its last lines */
		this.conninfo = `host=${dir} dbname=stead`;
	}

	/* The connection string of one role, such as stead_authd. */
	as(role)
	{
		return `${this.conninfo} user=${role}`;
	}

	get pid()
	{
		return this.#child?.pid;
	}

	async start()
	{
		const settings = Object.entries(this.#settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
		const [program, args] = dropped(join(PG_BIN, "postgres"), ["-D", join(this.dir, "data"), "-k", this.dir,
			...settings]);
		/* detached: what ends the others, such as Ctrl-C, must not end it before them. */
		const child = spawn(program, args, { cwd: this.dir, detached: true, stdio: ["ignore", "ignore", "pipe"] });

		this.#child = child;
		await new Promise((done, failed) => {
			child.once("error", failed);
			child.once("exit", () => failed(new Error(`PostgreSQL did not start:\n${this.log.join("\n")}`)));
			createInterface({ input: child.stderr }).on("line", (line) => {
				this.log.push(line);
				this.log.splice(0, this.log.length - LOG_LINES);
				if (line.includes("database system is ready to accept connections"))
					done();
			});
		});
	}

	async #end(signal)
	{
		const child = this.#child;

		this.#child = null;
		if (!child || child.exitCode !== null || child.signalCode !== null)
			return;
		child.kill(signal);
		await once(child, "exit");
	}

	/* Ends it, and removes the directory if startPostgres() made it. */
	async stop()
	{
		await Promise.all(this.#sessions.map((session) => session.end()));
		await this.#end("SIGINT");
		if (this.own)
			await rm(this.own, { recursive: true, force: true });
	}

	async restart()
	{
		await this.#end("SIGINT");
		await this.start();
	}

	async kill()
	{
		await this.#end("SIGQUIT");
	}

	async sql(statement, { role = "postgres", database = "stead" } = {})
	{
		const { stdout } = await run(join(PG_BIN, "psql"), ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
			"-h", this.dir, "-U", role, "-d", database, "-c", statement]);

		return stdout.trim();
	}

	session()
	{
		const session = new Session(this.dir);

		this.#sessions.push(session);
		return session;
	}

	/* Once so many statements of the daemons' wait for a lock. It asks again and again, for PostgreSQL does not tell. */
	async blocked(count)
	{
		const until = Date.now() + BLOCKED_MS;

		while (Number(await this.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
			+ " AND usename <> 'postgres'")) < count)
			if (Date.now() > until)
				throw new Error(`there are no ${count} statements that wait for a lock`);
	}

	async #file(path)
	{
		await run(join(PG_BIN, "psql"), ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", this.dir, "-U", "postgres",
			"-d", "stead", "-f", path]);
	}

	async #letIn()
	{
		const users = [userInfo().username, ...(ISOLATED ? [USER] : [])];
		const map = users.flatMap((user) => ROLES.map((role) => `stead "${user}" ${role}\n`));

		await writeFile(join(this.dir, "data/pg_hba.conf"), "local all all peer map=stead\n");
		await writeFile(join(this.dir, "data/pg_ident.conf"), map.join(""));
	}

	async prepare(daemons)
	{
		const [program, args] = dropped(join(PG_BIN, "initdb"), ["--no-sync", "--auth=peer", "--username=postgres",
			"--encoding=UTF8", "--locale=C.UTF-8", "-D", join(this.dir, "data")]);

		await run(program, args, { cwd: this.dir });
		await this.#letIn();
		await this.start();
		await this.sql("CREATE DATABASE stead", { database: "postgres" });
		await this.#file(join(ROOT, "db/roles.sql"));
		for (const daemon of daemons)
			if (existsSync(join(ROOT, daemon, "schema")))
				await this.migrate(daemon, ["up"]);
	}

	/* Ends it, and leaves what is in it there for copies, unless somebody else has meanwhile. */
	async leaveAt(path)
	{
		const draft = `${path}-${basename(this.own)}`;

		await this.#end("SIGINT");
		await mkdir(dirname(path), { recursive: true });
		await run("cp", ["-a", join(this.dir, "data"), draft]);
		await rename(draft, path).catch(() => rm(draft, { recursive: true }));
	}

	async startCopy(path)
	{
		await run("cp", ["-a", path, join(this.dir, "data")]);
		await this.#letIn();
		await this.start();
	}

	/* Runs stead-migrate on one daemon's schema: migrate("authd", ["down", "--to", "0"]). */
	async migrate(daemon, action)
	{
		const { stdout } = await run(join(PROGRAMS, "stead-migrate"), ["--database", this.as("stead_migrate"),
			"--dir", join(ROOT, daemon, "schema"), "--schema", SCHEMAS[daemon], ...action]);

		return stdout;
	}
}

/* The directory of one in that directory. */
async function newHome(parent)
{
	const home = join(parent, "postgres");

	if (ISOLATED)
		await findUser();
	await mkdir(home, { mode: 0o755 });
	if (ISOLATED) { /* the other user must be able to get there */
		await chmod(parent, 0o711);
		await chown(home, uid, gid);
	}
	return home;
}

/* Of all that a prepared one comes of. */
async function fingerprint(daemons)
{
	const schemas = daemons.map((daemon) => join(ROOT, daemon, "schema")).filter(existsSync);
	const tables = await Promise.all(schemas.map(async (directory) => (await readdir(directory)).sort().map((name) => join(directory, name))));
	const files = [fileURLToPath(import.meta.url), join(PROGRAMS, "stead-migrate"), join(ROOT, "db/roles.sql"), ...tables.flat()];
	const hash = createHash("sha256").update((await run(join(PG_BIN, "initdb"), ["--version"])).stdout).update(ISOLATED ? USER : "");

	for (const file of files)
		hash.update(`\n${file}\n`).update(await readFile(file));
	return hash.digest("hex").slice(0, 16);
}

/*
 * A data directory that nobody uses but to copy it, for initdb and the migrations take many times as long. One that does not fit
 * any more is not found under its name.
 */
async function prepared(daemons)
{
	const path = join(ROOT, "build/postgres", await fingerprint(daemons));

	if (existsSync(path))
		return path;
	const parent = await mkdtemp("/tmp/stead-pg-");
	const pg = new Postgres(await newHome(parent), parent, TEST_SETTINGS);

	try {
		await pg.prepare(daemons);
		await pg.leaveAt(path);
	} finally {
		await pg.stop();
	}
	return path;
}

export async function startPostgres({ dir, daemons = Object.keys(SCHEMAS), settings = TEST_SETTINGS } = {})
{
	const parent = dir ?? await mkdtemp("/tmp/stead-pg-");
	const pg = new Postgres(await newHome(parent), dir ? null : parent, settings);

	try {
		await pg.startCopy(await prepared(daemons));
	} catch (error) {
		await pg.stop();
		throw error;
	}
	return pg;
}
