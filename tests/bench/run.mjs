/*
 * "make bench": how fast Stead is and what it takes, beside the least that anybody could do for the same. Everything real:
 * the four daemons, PostgreSQL, nginx, Chromium. Prints tables of medians, 95th percentiles, sample counts and ratios.
 *
 *	node tests/bench/run.mjs [stream] [input] [rpc] [sign-in] [memory] [database] [vault] [edge]	all if none is named
 *
 * ("input" is measured with "stream".) It is built by "make build-bench" before. Started by root, all of it runs as another
 * user (demo/as_user.sh), and root stays to read how much memory the daemons take, which they hide from anybody else.
 * STEAD_BENCH_SESSIONS: how many the vault holds at last, a million if not given.
 * STEAD_BENCH_ROUNDS: turns of the picture's way, 17 s each, 6 if not given.
 * Exit status: 0 measured, 1 something could not be, 2 misused. Aims that are missed are said; they are no failure.
 */
import { spawn } from "node:child_process";
import { createServer } from "node:https";
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { family, memory } from "./processes.mjs";

const ROOT = resolve(fileURLToPath(new URL("../..", import.meta.url)));
const BENCH = process.env.STEAD_BENCH ?? join(ROOT, "build/plain/bench");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/lib/chromium/chromium";
const PARTS = ["stream", "input", "rpc", "sign-in", "memory", "database", "vault", "edge"];
const DAEMONS = ["authd", "sessiond", "streamd", "botd"];
const PAGE = "https://bench.test/";
const SIZE = { width: 1280, height: 800 };
const IDLE_AIM_MB = 8, SETTLE_MS = 3000, LOOK_MS = 100, LOOKS = 5, WAIT_MS = 30_000;
const SIGN_INS = 7;
/* Of the stand-in's sign-in page (demo/person.mjs): the picture shows it once so many of its points are there. */
const BUTTON = [15, 118, 110], POINTS = 1500, TOLERANCE = 22;

/* The benchmark's own site: a page that moves only when pressed on, and never counts as signed in. */
const RECIPE = {
	title: "Benchmark",
	home: PAGE,
	sign_in: { url: PAGE },
	hosts: ["bench.test"],
	private_addresses: ["127.0.0.1"],
	signed_in: { url: ["https://bench.test/in"], mark: { css: "#in" } },
	probe: { url: "https://bench.test/in", in: { at: { css: "#in" } }, out: { url: [PAGE] } },
	environment: { locale: "en-US", time_zone: "UTC" },
};

function sleep(ms)
{
	return new Promise((done) => setTimeout(done, ms));
}

function at(values, quantile)
{
	return [...values].sort((a, b) => a - b)[Math.ceil(values.length * quantile) - 1];
}

function heading(text)
{
	console.log(`\n== ${text}   (load ${loadavg()[0].toFixed(1)})`);
}

function row(what, ...cells)
{
	console.log(`${what.padEnd(34)} ${cells.join("   ")}`);
}

function mb(value)
{
	return `${value.toFixed(1).padStart(6)} MB`;
}

/* Shows what it says, and resolves to it. */
function program(name, args = [], { quiet = false } = {})
{
	const child = spawn("setpriv", ["--pdeathsig=KILL", join(BENCH, name), ...args.map(String)],
		{ stdio: ["ignore", "pipe", "inherit"] });
	const lines = [];

	createInterface({ input: child.stdout }).on("line", (line) => {
		lines.push(line);
		if (!quiet)
			console.log(line);
	});
	return new Promise((done, failed) => {
		child.once("error", failed);
		child.once("close", (status) => (status === 0 ? done(lines)
			: failed(new Error(`${name} ended with status ${status}; it is built by "make build-bench".`))));
	});
}

class Bench {
	#asked = new Map();
	#last = 0;

	constructor()
	{
		process.on("message", ({ id, ...answer }) => {
			this.#asked.get(id)(answer);
			this.#asked.delete(id);
		});
	}

	/* By root, if there is one that started us. */
	async memory(pid)
	{
		const own = memory(pid);

		if (own.pss !== null || !process.send)
			return own;
		const id = this.#last += 1;
		const answer = new Promise((done) => this.#asked.set(id, done));

		process.send({ id, pid });
		return answer;
	}

	async memoryOf(pids)
	{
		const sum = { pss: 0, own: 0, rss: 0 };

		for (const one of await Promise.all(pids.map((pid) => this.memory(pid))))
			for (const kind of Object.keys(sum))
				sum[kind] = one[kind] === null || sum[kind] === null ? null : sum[kind] + one[kind];
		return sum;
	}

	async start()
	{
		const [{ startStack }, { Visitor }, { certificateOf }] = await Promise.all([import("../../demo/stack.mjs"),
			import("../e2e/rig.mjs"), import("../sites/certificate.mjs")]);

		this.stead = await startStack();
		this.directory = await mkdtemp("/tmp/stead-bench-");
		const certificate = certificateOf(this.directory, ["bench.test"]);

		await this.#serve(certificate);
		this.key = certificate.spki;
		await writeFile(join(this.stead.dir, "recipes/bench.json"), JSON.stringify(RECIPE));
		await appendFile(join(this.stead.dir, "etc/stead.conf"),
			`pin = bench.test=127.0.0.1:${this.port}\ntrusted_key = ${this.key}\n`);
		await Promise.all(["streamd", "botd"].map((name) => this.stead.daemon(name).restart()));
		this.visitor = await new Visitor({ url: this.stead.url }, this.stead.admin.name).login(this.stead.admin.password);
	}

	async #serve({ cert, key })
	{
		const page = await readFile(new URL("page.html", import.meta.url));

		this.site = createServer({ cert, key }, ({ url }, response) => {
			response.writeHead(url === "/" ? 200 : 404, { "Content-Type": "text/html; charset=utf-8" });
			response.end(url === "/" ? page : "");
		});
		await new Promise((done) => this.site.listen(0, "127.0.0.1", done));
		this.port = this.site.address().port;
	}

	async stop()
	{
		await this.stead?.stop();
		this.site?.close();
		this.site?.closeAllConnections?.();
		if (this.directory)
			await rm(this.directory, { recursive: true, force: true });
	}

	/* An empty directory for a browser's profile. */
	async emptyDirectory()
	{
		const path = await mkdtemp(join(this.directory, "b-"));

		await mkdir(join(path, "profile"));
		return path;
	}

	async close(id)
	{
		await this.visitor.must("POST", `/streams/${id}/close`, {});
		for (const until = Date.now() + WAIT_MS; Date.now() < until; await sleep(LOOK_MS))
			if (!family(this.stead.daemon("streamd").pid).slice(1).length)
				return;
		throw new Error("A browser did not end.");
	}

	async stream()
	{
		heading("The picture's way: through streamd and nginx, beside a bare CDP client on a browser of its own; ms");
		console.log("The same flags, page, size and quality; both read by one process, in turns. Aim: +2 ms at most.");
		const { id } = await this.visitor.must("POST", "/streams", { site: "bench", ...SIZE });

		await program("bench_stream", [this.stead.port, `/ws/streams/${id}`, this.visitor.cookie,
			this.stead.daemon("streamd").pid, this.stead.daemon("nginx").pid, CHROMIUM, PAGE, this.key, this.port,
			join(await this.emptyDirectory(), "profile"), process.env.STEAD_BENCH_ROUNDS ?? 6]);
		await this.close(id);
	}

	async rpc()
	{
		heading("RPC round trip beside a blocking ping-pong of two processes; aim: x 1.5 at most");
		await program("bench_rpc");
	}

	async database()
	{
		heading("A transaction of one statement through db/, beside bare libpq");
		await program("bench_db");
	}

	async vault()
	{
		heading("The vault: states of 4 KB through sessiond, beside bare SQL of the same rows; aims: x 0.8 at least, p99 x 1.3 at most");
		await program("bench_vault", [process.env.STEAD_BENCH_SESSIONS ?? 1_000_000]);
	}

	async edge()
	{
		heading("The edge alone: 150 KB pictures, beside a bare socket pair");
		await program("bench_edge", [300]);
	}

	async memories()
	{
		const daemons = Object.fromEntries(DAEMONS.map((name) => [name, this.stead.daemon(name).pid]));

		heading("Memory");
		await Promise.all(DAEMONS.map((name) => this.stead.daemon(name).restart()));
		await sleep(SETTLE_MS);
		for (const name of DAEMONS)
			daemons[name] = this.stead.daemon(name).pid;
		for (const name of DAEMONS)
			await this.#daemonMemory(`${name}, idle`, daemons[name], IDLE_AIM_MB);
		await this.#streamMemory(daemons.streamd);
		await sleep(SETTLE_MS);
		for (const name of DAEMONS)
			await this.#daemonMemory(`${name}, idle again`, daemons[name], IDLE_AIM_MB);
		await this.#daemonMemory("nginx, all its processes", this.stead.daemon("nginx").pid, null, true);
	}

	async #daemonMemory(what, pid, aim, whole = false)
	{
		const { pss, own, rss } = await this.#oftenLookedAt(whole ? family(pid) : [pid]);
		const miss = aim && pss !== null && pss > aim ? `   missed: the aim is ${aim} MB` : "";

		row(what, pss === null ? "PSS: root only" : `PSS ${mb(pss)}`, `its own ${mb(own)}`, `RSS ${mb(rss)}`, `n=${LOOKS}${miss}`);
		return pss ?? own;
	}

	/* The median of some readings. */
	async #oftenLookedAt(pids)
	{
		const seen = [];

		for (let i = 0; i < LOOKS; i++) {
			seen.push(await this.memoryOf(pids));
			await sleep(LOOK_MS);
		}
		return seen.sort((a, b) => (a.pss ?? a.own) - (b.pss ?? b.own))[LOOKS >> 1];
	}

	/* streamd with none, one and two streams that are looked at; and what browsers and launchers take. */
	async #streamMemory(streamd)
	{
		const open = [], grown = [];
		const now = async () => (({ pss, own }) => pss ?? own)(await this.#oftenLookedAt([streamd]));
		const { WebSocket } = await import("ws");

		grown.push(await now());
		for (let n = 1; n <= 2; n++) {
			open.push(await this.#lookedAt(WebSocket));
			await sleep(SETTLE_MS);
			grown.push(await now());
		}
		const { pss, own } = await this.#oftenLookedAt(family(streamd).filter((pid) => pid !== streamd));

		row("streamd with 0, 1, 2 streams", grown.map(mb).join(", "), `a stream: ${mb((grown[2] - grown[0]) / 2)}`, `n=${LOOKS} each`);
		row("browser and launcher, a stream", mb((pss ?? own) / 2), pss === null ? "(their own, without what is shared)" : "PSS", `n=${LOOKS}`);
		for (const { id, socket } of open) {
			socket.close();
			await this.visitor.must("POST", `/streams/${id}/close`, {});
		}
	}

	/* A stream whose pictures are taken; pressed on once, so that it has been through some. */
	async #lookedAt(WebSocket)
	{
		const { id } = await this.visitor.must("POST", "/streams", { site: "bench", ...SIZE });
		const socket = new WebSocket(`${this.stead.url.replace("http", "ws")}/ws/streams/${id}`,
			{ headers: { Origin: this.stead.url, Cookie: this.visitor.cookie } });
		const say = (method, params) => socket.send(JSON.stringify({ jsonrpc: "2.0", method, params }));
		let loaded;
		const ready = new Promise((done) => {
			loaded = done;
		});

		socket.on("message", (data, binary) => {
			const { method, params } = binary ? {} : JSON.parse(data);

			if (binary)
				say("frame_ack", { seq: data.readUInt32LE(4) });
			else if (method === "page_changed" && params.url === PAGE && !params.loading)
				loaded();
		});
		await new Promise((done, failed) => socket.once("open", done).once("error", failed));
		await Promise.race([ready, sleep(WAIT_MS)]);
		for (const type of ["press", "release"])
			say("mouse_event", { type, x: 1080, y: 40, button: "left", buttons: Number(type === "press"), clicks: 1 });
		return { id, socket };
	}

	async signIn()
	{
		const [{ openViewer, openWindow }, { Person }] = await Promise.all([import("../../demo/viewer.mjs"),
			import("../../demo/person.mjs")]);
		const viewer = await openViewer();
		const ours = [], bare = [];

		heading("Click on \"Sign in\" to the first picture of the sign-in page on the canvas, beside a bare browser's start; ms");
		console.log("Ours holds the click, the API, the launcher and the browser's start, and the picture's decoding and painting.");
		try {
			const page = await openWindow(viewer), scratch = await openWindow(viewer);
			const person = new Person(page, this.stead.url);

			await person.signInToStead(this.stead.admin);
			for (let i = 0; i <= SIGN_INS; i++) {
				const one = [await this.#throughThePage(person), await this.#bareStartOnceMore(scratch)];

				if (i > 0) { /* the first of each only warms the caches */
					ours.push(one[0]);
					bare.push(one[1]);
				}
			}
		} finally {
			await viewer.close();
		}
		for (const [what, values] of [["through Stead's page", ours], ["bare browser", bare]])
			row(what, `n=${values.length}`, `median ${at(values, 0.5).toFixed(0)}`, `p95 ${at(values, 0.95).toFixed(0)}`,
				`all ${values.map((ms) => ms.toFixed(0)).join(" ")}`);
		const [a, b] = [at(ours, 0.5), at(bare, 0.5)];

		row("difference of medians", `+${(a - b).toFixed(0)} ms`, `x ${(a / b).toFixed(2)}`);
	}

	async #throughThePage(person)
	{
		const { page } = person;

		await person.dashboard();
		const link = person.card("Deskwise").getByRole("link", { name: /^Sign in/ });

		await link.waitFor();
		await page.evaluate(watchCanvas, { colour: BUTTON, points: POINTS, tolerance: TOLERANCE });
		await link.click();
		await page.waitForFunction(() => window.benchShown, null, { timeout: WAIT_MS });
		const ms = await page.evaluate(() => window.benchShown - window.benchClicked);
		const { streams } = await this.visitor.must("GET", "/streams");

		await person.dashboard();
		for (const { id } of streams)
			await this.close(id);
		return ms;
	}

	/* What is bare has nobody to help it: one that does not come up is said, and done again. */
	async #bareStartOnceMore(scratch)
	{
		try {
			return await this.#bareStart(scratch);
		} catch (error) {
			console.log(`A bare browser is started again: ${error.message}`);
			return this.#bareStart(scratch);
		}
	}

	async #bareStart(scratch)
	{
		const { port, spki } = this.stead.sites.info;
		const directory = await this.emptyDirectory();
		const lines = await program("bench_start", [CHROMIUM, "https://desk.test/login", spki, port, directory], { quiet: true });

		for (const line of lines) {
			const [ms, path] = line.split(" ");
			const jpeg = (await readFile(path)).toString("base64");

			if (await scratch.evaluate(shows, { jpeg, colour: BUTTON, points: POINTS, tolerance: TOLERANCE })) {
				await rm(directory, { recursive: true, force: true });
				return Number(ms);
			}
		}
		throw new Error(`None of the bare browser's ${lines.length} pictures in ${directory} shows the sign-in page.`);
	}
}

/* Runs in Stead's page: notes when it was clicked, and when the canvas first showed that much of the colour. */
function watchCanvas({ colour, points, tolerance })
{
	let seen;
	const look = () => {
		const canvas = document.querySelector("canvas");

		if (canvas?.dataset.seq && canvas.dataset.seq !== seen) {
			const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
			let found = 0;

			seen = canvas.dataset.seq;
			for (let i = 0; i < data.length; i += 4)
				found += Number(colour.every((value, k) => Math.abs(data[i + k] - value) <= tolerance));
			if (found >= points) {
				window.benchShown = performance.now();
				return;
			}
		}
		requestAnimationFrame(look);
	};

	window.benchShown = 0;
	addEventListener("click", () => {
		window.benchClicked = performance.now();
	}, { capture: true, once: true });
	look();
}

/* Runs in an empty page: whether a JPEG holds that much of the colour. */
async function shows({ jpeg, colour, points, tolerance })
{
	const bytes = Uint8Array.from(atob(jpeg), (one) => one.charCodeAt(0));
	const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
	const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");

	context.drawImage(bitmap, 0, 0);
	const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
	let found = 0;

	for (let i = 0; i < data.length; i += 4)
		found += Number(colour.every((value, k) => Math.abs(data[i + k] - value) <= tolerance));
	return found >= points;
}

/* What needs the whole stack comes first, the programs that stand alone after it has ended. */
async function measure(parts)
{
	const bench = new Bench();
	const wanted = (name) => !parts.length || parts.includes(name);
	let status = 0;
	const attempt = async (work) => {
		try {
			await work();
		} catch (error) {
			console.log(`not measured: ${error.message}`);
			status = 1;
		}
	};

	if (["stream", "input", "sign-in", "memory"].some(wanted)) {
		try {
			await bench.start();
			if (wanted("memory"))
				await attempt(() => bench.memories());
			if (wanted("stream") || wanted("input"))
				await attempt(() => bench.stream());
			if (wanted("sign-in"))
				await attempt(() => bench.signIn());
		} finally {
			await bench.stop();
		}
	}
	for (const name of ["rpc", "database", "vault", "edge"])
		if (wanted(name))
			await attempt(() => bench[name]());
	return status;
}

/* As root: the others' memory is read here for the one that measures. */
function asAnotherUser(args)
{
	const child = spawn(join(ROOT, "demo/as_user.sh"), ["ready", "node", "tests/bench/run.mjs", ...args],
		{ stdio: ["ignore", "inherit", "inherit", "ipc"] });

	child.on("message", ({ id, pid }) => child.send({ id, ...memory(Number(pid)) }));
	return new Promise((done) => child.once("close", (status) => done(status ?? 1)));
}

async function main()
{
	const args = process.argv.slice(2);
	const unknown = args.find((part) => !PARTS.includes(part));

	if (unknown) {
		console.error(`There is no part "${unknown}" of the benchmark; there are ${PARTS.join(", ")}.`);
		return 2;
	}
	return process.getuid() === 0 ? asAnotherUser(args) : measure(args);
}

main().then((status) => process.exit(status), (error) => {
	console.error(error.message);
	process.exit(1);
});
