/*
 * One child process of the demo or of a test: its output kept in a file, its readiness awaited, its end noticed. It
 * ends when this process does, however that ends: setpriv asks the kernel for the signal. It has a process group of its
 * own, so that Ctrl-C reaches this process alone, which then ends the others in order.
 */
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";

const LAST_LINES = 15;
const READY_MS = 60_000;
const STOP_MS = 60_000;

/* Children see nothing of a service manager that may have started us. */
const ENVIRONMENT = { PATH: process.env.PATH, HOME: process.env.HOME, LANG: "C.UTF-8", TZ: "UTC" };

function inTime(promise, ms, sentence)
{
	let timer;
	const late = new Promise((_, fail) => {
		timer = setTimeout(() => fail(new Error(sentence())), ms);
	});

	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export class Process {
	#child = null;
	#asked = false;
	#last = [];
	#ended = Promise.resolve();
	#options;

	/*
	 * before: what must be done before each start, an async function.
	 * ready: a pattern of the line by which it says that it serves, or an async function that resolves once it does.
	 * unasked(sentence): it has ended though nobody asked it to.
	 */
	constructor(name, { program, args = [], env = {}, log, before, ready, unasked = () => {} })
	{
		this.name = name;
		this.log = log;
		this.#options = { program, args, env, before, ready, unasked };
	}

	get pid()
	{
		return this.#child?.pid;
	}

	get running()
	{
		return this.#child !== null;
	}

	/* Resolves when it has ended. */
	get ended()
	{
		return this.#ended;
	}

	async start()
	{
		if (this.#child)
			throw new Error(`${this.name} is running already.`);
		const { program, args, env, before, ready, unasked } = this.#options;

		await before?.();
		const child = spawn("setpriv", ["--pdeathsig=TERM", program, ...args], { detached: true,
			env: { ...ENVIRONMENT, ...env }, stdio: ["ignore", "pipe", "pipe"] });
		let said, failed;
		const serving = new Promise((resolve, reject) => {
			said = resolve;
			failed = reject;
		});

		this.#child = child;
		this.#asked = false;
		this.#last = [];
		this.#record(child, (line) => ready instanceof RegExp && ready.test(line) && said());
		this.#ended = new Promise((resolve) => {
			child.once("error", failed);
			child.once("close", (status, signal) => {
				const how = signal ? `was ended by ${signal}` : `ended with status ${status}`;

				this.#child = null;
				failed(new Error(this.describe(how)));
				resolve();
				if (!this.#asked)
					unasked(this.describe(how));
			});
		});
		if (typeof ready === "function")
			ready().then(said, failed);
		await inTime(serving, READY_MS, () => this.describe(`was not ready after ${READY_MS / 1000} s`));
	}

	#record(child, each)
	{
		const file = createWriteStream(this.log, { flags: "a" });

		for (const stream of [child.stdout, child.stderr]) {
			createInterface({ input: stream }).on("line", (line) => {
				file.write(`${line}\n`);
				this.#last.push(line);
				this.#last.splice(0, this.#last.length - LAST_LINES);
				each(line);
			});
		}
		child.once("close", () => file.end());
	}

	/* A sentence about it, with the end of what it wrote. */
	describe(how)
	{
		return [`${this.name} ${how}. The end of ${this.log}:`, ...this.#last.map((line) => `	${line}`)].join("\n");
	}

	/* Sends the signal and waits for its end. */
	async kill(signal = "SIGKILL")
	{
		if (!this.#child)
			return;
		this.#asked = true;
		this.#child.kill(signal);
		await this.#ended;
	}

	/* Lets it end by itself, for a while. */
	async stop(signal = "SIGTERM")
	{
		if (!this.#child)
			return;
		this.#asked = true;
		this.#child.kill(signal);
		await inTime(this.#ended, STOP_MS, () => "").catch(() => this.kill());
	}

	async restart(signal = "SIGTERM")
	{
		await this.stop(signal);
		await this.start();
	}
}
