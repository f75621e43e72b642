/*
 * A throw-away system with a systemd of its own, booted in a second; see boot.sh.
 *
 *	const guest = await bootGuest();
 *	await guest.run("systemctl", "is-active", "stead-authd");     // stdout, trimmed; throws with what it said
 *	await guest.as("nobody", "steadctl", "status");
 *	await guest.stop();
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { fileAppears } from "../../demo/file.mjs";

const runFile = promisify(execFile);
const TREE = resolve(fileURLToPath(new URL("../..", import.meta.url)));
const BOOT_MS = 300_000;
const CONSOLE_LINES = 200;

/* The process below pid that is init of the guest: systemd-nspawn's only child. */
async function initOf(pid)
{
	for (const child of (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(" ").filter(Boolean)) {
		const name = (await readFile(`/proc/${child}/comm`, "utf8")).trim();

		if (name === "systemd" || name === "systemd-nspawn" || name === "init")
			return Number(child);
	}
	return null;
}

class Guest {
	#child;
	#init;
	console = "";

	constructor(dir)
	{
		this.dir = dir;
	}

	async start()
	{
		const signal = join(this.dir, "signal");

		/* detached: Ctrl-C is for the test, which then ends this. */
		this.#child = spawn("setpriv", ["--pdeathsig=TERM", join(TREE, "tests/system/boot.sh"), TREE, this.dir],
			{ stdio: ["ignore", "pipe", "pipe"], detached: true });
		const ended = new Promise((_, reject) => {
			for (const stream of [this.#child.stdout, this.#child.stderr])
				stream.setEncoding("utf8").on("data", (text) => {
					this.console = (this.console + text).split("\n").slice(-CONSOLE_LINES).join("\n");
				});
			this.#child.once("exit", (status) => reject(new Error(`The guest ended with status ${status}.`)));
		});

		try {
			ended.catch(() => {}); /* its end is no surprise any more once stop() is called */
			await Promise.race([ended, fileAppears(signal, "ready", BOOT_MS)]);
			this.#init = await initOf(this.#child.pid);
		} catch (error) {
			throw new Error(`${error.message} Its console:\n${this.console}`);
		}
	}

	/* Its file system as seen from outside: files can be read and written there. */
	path(inside)
	{
		return join("/proc", String(this.#init), "root", inside);
	}

	async run(...command)
	{
		return (await this.attempt(...command)).check();
	}

	/* As another user, with that user's own groups. */
	as(user, ...command)
	{
		return this.run("setpriv", `--reuid=${user}`, `--regid=${user === "nobody" ? "nogroup" : user}`, "--clear-groups", ...command);
	}

	/* { status, stdout, stderr, check() }, whatever comes of it. */
	async attempt(...command)
	{
		const args = ["-t", String(this.#init), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--", ...command];
		const result = await runFile("nsenter", args, { timeout: 300_000, maxBuffer: 1 << 24,
			env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8", SYSTEMD_COLORS: "0", PAGER: "cat", SYSTEMD_PAGER: "" } })
			.then((done) => ({ status: 0, ...done }), (error) => ({ status: error.code ?? -1, stdout: error.stdout ?? "",
				stderr: error.stderr || error.message }));

		result.check = () => {
			if (result.status !== 0)
				throw new Error(`${command.join(" ")} ended with status ${result.status}: ${result.stderr}${result.stdout}`);
			return result.stdout.trim();
		};
		return result;
	}

	async stop()
	{
		if (this.#child.exitCode === null && this.#child.signalCode === null) {
			process.kill(-this.#child.pid, "SIGTERM"); /* systemd-nspawn passes it on as an orderly halt */
			const timer = setTimeout(() => process.kill(-this.#child.pid, "SIGKILL"), 10_000);

			await once(this.#child, "exit");
			clearTimeout(timer);
		}
		await rm(this.dir, { recursive: true, force: true });
	}
}

export async function bootGuest()
{
	const dir = await mkdtemp("/tmp/stead-guest-");
	const guest = new Guest(dir);

	await mkdir(join(dir, "signal")); /* for what the guest says in it to be waited for before the guest can say it */
	try {
		await guest.start();
	} catch (error) {
		await guest.stop();
		throw error;
	}
	return guest;
}
