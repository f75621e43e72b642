/*
 * Runs the tests, a few programs at a time and the fuzzers behind them, and ends with one line: "N passed, M failed,
 * K skipped".
 *
 *	node tests/run.mjs [lint] [unit] [integration] [e2e] [system] [fuzz]     all of them if none is named
 *	node tests/run.mjs --only NAME     those whose name holds NAME, such as "integration: proof" or "words"
 *	node tests/run.mjs --soak [fire] [wire] [e2e] [fuzz]     bookings under fire (1 to 1.5 hours on two quiet cores),
 *	                                    every way of answering an act badly (50 minutes: 5 without a kill, and 95 rows of
 *	                                    about 27 s with one), the end-to-end tests over and over, an hour of each fuzzer
 *
 * Everything but the system tests runs as an unprivileged user (demo/as_user.sh); those need root and are skipped
 * without it. What a program wrote is in build/test-logs/NAME.log; the ends of those that failed are shown once all have
 * run. Exit status: 0 all passed or skipped, 1 some failed or nothing was run, 2 misused.
 */
import { execFileSync, spawn } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = resolve(fileURLToPath(new URL("..", import.meta.url)));
const ROOT_USER = process.getuid() === 0;
const TREE = execFileSync(join(HERE, "demo/as_user.sh"), ["--where"], { encoding: "utf8" }).trim();
const LOGS = join(HERE, "build/test-logs");
const PARTS = ["lint", "unit", "integration", "e2e", "system", "fuzz"];
const SOAK_PARTS = ["fire", "wire", "e2e", "fuzz"];
const LAST_LINES = 40;
const SLOW_MS = 1100; /* 0.7 s where all of it takes 25 minutes, 2.5 s where it takes more than an hour */
/* They take the longest, so they begin first, in this order: what is long and last would be alone at the end. */
const LONG = ["looks", "keeping", "wire_kill", "botd", "wire", "site", "postgres", "botd_refusals", "meets", "proof", "pages", "fire", "step_lists",
	"step_pages", "authd_http", "launcher", "steps", "chromium", "life", "proving", "kill"];
/* They mostly wait, for what takes its time, so they have a lane of their own beside those that work. */
const WAITING = ["plans", "edge", "edge_pictures", "edge_routes", "authd_rpc", "db_restart", "db_tx", "sessiond_crash"];
/* They hold Stead to times of its own: what is gone two seconds later, what ends by itself. So what is heavy is over by then. */
const TIMED = ["chromium", "input", "kill", "life", "logout", "proving"];
/* They end what hangs, and nothing else: a whole run takes 25 minutes, or four times as long where a page fault is slow. */
const LIMIT_S = 900, LONG_S = 1800;
const FUZZ_S = 60, SOAK_S = 3600, SOAK_ROUNDS = 20, SOAK_BOOKINGS = 2000, FIRE_S = 6 * 3600, WIRE_S = 3 * 3600;
const PLAIN = "build/plain/tests", ASAN = "build/asan/tests";
const SANITIZERS = { ASAN_OPTIONS: "abort_on_error=1:detect_leaks=1", UBSAN_OPTIONS: "print_stacktrace=1" };
/*
 * Under valgrind, too slow for the times that they hold libwebsockets and its clients to; sign_ins forks five hundred times; whom
 * acceptor has no descriptor for would be accepted by valgrind, and thrown away.
 */
const NOT_UNDER_VALGRIND = ["acceptor", "edge", "edge_pictures", "edge_routes", "sign_ins"];

const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const running = new Set();

function names(directory, pattern)
{
	try {
		return readdirSync(join(TREE, directory)).map((file) => pattern.exec(file)?.[1]).filter(Boolean).sort();
	} catch {
		return [];
	}
}

/*
 * What one program does: a name, the command, and how long it may take. when: "early" if it does not say; "late" what
 * drives all of Stead; "small" what starts no browser, and "waiting", both beside the others, one after another; "last" with
 * nothing else beside it but the like; "behind" the others, whenever they leave a core idle. long: its place in LONG. counts: its output says how many tests it held; otherwise it is one test. shows: so many of its last lines are shown.
 */
function turn(name, when = "early")
{
	return { when: WAITING.includes(name) ? "waiting" : when, long: LONG.indexOf(name) };
}

function lintTasks()
{
	return [["style", "style"], ["every header alone", "headers"], ["layers", "layers"], ["clang-tidy", "tidy"]].map(([name, script]) =>
		({ name: `lint: ${name}`, command: [`tests/lint/${script}.sh`], when: "small" }));
}

function unitTasks()
{
	const units = names("tests/unit", /^test_(\w+)\.c$/);
	const each = (kind, wrap, some = units, env = {}) => some.map((name) => ({ name: `${kind}: ${name}`,
		command: wrap(name), counts: true, env, ...turn(name, "small") }));
	const valgrind = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=definite",
		"--child-silent-after-fork=yes"];

	return [
		...each("unit", (name) => [`${PLAIN}/test_${name}`]),
		...each("unit under ASan and UBSan", (name) => [`${ASAN}/test_${name}`], units, SANITIZERS),
		...each("unit under valgrind", (name) => [...valgrind, `${PLAIN}/test_${name}`],
			units.filter((name) => !NOT_UNDER_VALGRIND.includes(name))),
	];
}

function nodeTest(file)
{
	return ["node", "--test", "--test-reporter=spec", file];
}

function integrationTasks()
{
	return [
		...names("tests/integration", /^test_(\w+)\.c$/).map((name) => ({ name: `integration: ${name}`,
			command: [`${PLAIN}/test_${name}`], counts: true, ...turn(name) })),
		...names("tests/integration", /^(\w+)\.test\.mjs$/).map((name) => ({ name: `integration: ${name}`,
			command: nodeTest(`tests/integration/${name}.test.mjs`), counts: true, ...turn(name), limit_s: LONG_S })),
		{ name: "integration: stand-in sites", command: nodeTest("tests/sites/selftest.mjs"), counts: true },
	];
}

function e2eTasks(rounds = 1)
{
	const files = names("tests/e2e", /^(\w+)\.test\.mjs$/).map((name) => ({ name: `e2e: ${name}`,
		command: nodeTest(`tests/e2e/${name}.test.mjs`), counts: true,
		when: TIMED.includes(name) ? "last" : "late", long: LONG.indexOf(name), limit_s: LONG_S }));
	const tour = { name: "e2e: the tour of make demo", command: ["node", "demo/main.mjs", "--tour-only"], when: "late" };

	return Array.from({ length: rounds }, () => [tour, ...files]).flat();
}

function systemTasks()
{
	return names("tests/system", /^(\w+)\.test\.mjs$/).map((name) => ({ name: `system: ${name}`,
		command: nodeTest(`tests/system/${name}.test.mjs`), counts: true, root: true, when: "last" }));
}

/*
 * Each task has a session of its own, and where the kernel groups processes by session, priorities count within one alone
 * (sched(7)); the group's own can be set ten times a second by all together, so whoever is refused asks again.
 */
const BEHIND = ["sh", "-c", `for i in 1 2 3 4 5 6 7 8 9; do
	echo 19 > /proc/self/autogroup && break
	sleep 0.2
done 2> /dev/null
exec nice -n 10 "$@"`, "behind"];

function fuzzTasks(seconds)
{
	return names("tests/fuzz", /^fuzz_(\w+)\.c$/).map((name) => ({ name: `fuzz: ${name}, ${seconds} s`,
		command: [...BEHIND, "tests/fuzz/run.sh", name, String(seconds)], when: "behind", limit_s: seconds + 300, env: SANITIZERS }));
}

function fireTasks()
{
	return [{ name: `soak: ${SOAK_BOOKINGS} bookings under fire`, command: ["node", "tests/soak/bookings.mjs", String(SOAK_BOOKINGS)],
		when: "early", limit_s: FIRE_S, shows: 3 }];
}

/* The whole of the table of which make test takes each value once. */
function wireTasks()
{
	return ["wire", "wire_kill"].map((name) => ({ name: `soak: all of ${name}`, command: nodeTest(`tests/e2e/${name}.test.mjs`),
		counts: true, when: "late", limit_s: WIRE_S, env: { STEAD_WIRE: "whole" } }));
}

const MAKE = {
	lint: [["programs", "web"], ["build-bench"]], /* nothing else would notice that the bench no longer builds */
	unit: [["build-tests"], ["VARIANT=asan", "build-unit"]],
	integration: [["build-tests", "web"]],
	e2e: [["programs", "web"]],
	system: [["programs", "web"]],
	fuzz: [["VARIANT=fuzz", "build-fuzz"]],
	fire: [["programs", "web"]],
	wire: [["programs", "web"]],
};

function buildTasks(parts)
{
	const wanted = new Set(parts.flatMap((part) => MAKE[part]).map((targets) => targets.join(" ")));

	return [...wanted].map((targets) => ({ name: `build: make ${targets}`, limit_s: 900, needed: true,
		command: ["make", "-j2", ...targets.split(" ")] }));
}

/* Node's and cmocka's own words at their ends. */
function count(output, status)
{
	const sum = (pattern) => [...output.matchAll(pattern)].reduce((n, [, number]) => n + Number(number), 0);
	const found = {
		passed: sum(/^(?:# |ℹ )pass (\d+)$/gm) + sum(/^\[ {2}PASSED {2}\] (\d+) test/gm),
		failed: sum(/^(?:# |ℹ )(?:fail|cancelled) (\d+)$/gm) + sum(/^\[ {2}FAILED {2}\] (\d+) test/gm),
		skipped: sum(/^(?:# |ℹ )(?:skipped|todo) (\d+)$/gm) + sum(/^\[ {2}SKIPPED \] (\d+) test/gm),
	};

	if (status !== 0 && found.failed === 0)
		found.failed = 1;
	if (status === 0 && found.passed + found.skipped === 0)
		found.failed = 1; /* a program without a single test has not tested anything */
	return found;
}

function invocation({ command, root })
{
	if (root || !ROOT_USER)
		return { program: "setpriv", args: ["--pdeathsig=TERM", ...command], cwd: TREE };
	return { program: join(HERE, "demo/as_user.sh"), args: ["apart", ...command], cwd: HERE };
}

function run(task)
{
	const { program, args, cwd } = invocation(task);
	const path = join(LOGS, `${task.name.replace(/\W+/g, "-")}.log`);
	const log = createWriteStream(path);

	return new Promise((done) => {
		const output = [];
		const child = spawn(program, args, { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"],
			env: { ...process.env, ...task.env } });
		const limit_s = task.limit_s ?? LIMIT_S;
		const timer = setTimeout(() => {
			output.push(`\nIt was ended after ${limit_s} s.\n`);
			process.kill(-child.pid, "SIGKILL");
		}, limit_s * 1000);

		running.add(child);
		for (const stream of [child.stdout, child.stderr])
			stream.setEncoding("utf8").on("data", (text) => {
				output.push(text);
				log.write(text);
			});
		child.once("error", (error) => output.push(error.message));
		child.once("close", (status) => {
			clearTimeout(timer);
			running.delete(child);
			log.end();
			done({ status: status ?? -1, output: output.join(""), path });
		});
	});
}

function seconds(ms)
{
	return `${(ms / 1000).toFixed(1).padStart(6)} s`;
}

async function carryOut(task)
{
	const begun = performance.now();
	const { status, output, path } = await run(task);
	const found = task.counts ? count(output, status) : { passed: Number(status === 0), failed: Number(status !== 0), skipped: 0 };
	const many = task.counts ? `, ${found.passed} passed${found.skipped ? `, ${found.skipped} skipped` : ""}` : "";

	if (!task.needed || found.failed)
		for (const kind of Object.keys(total))
			total[kind] += found[kind];
	console.log(`${found.failed ? "✗" : "✓"} ${seconds(performance.now() - begun)}  ${task.name}${many}`);
	if (task.shows)
		console.log(output.trimEnd().split("\n").slice(-task.shows).join("\n"));
	if (!found.failed)
		return true;
	console.log(`    What it wrote: ${path}`);
	failures.push({ name: task.name, end: output.trimEnd().split("\n").slice(-LAST_LINES) });
	return false;
}

/* Last of all, where it is found even in a log of which only the end was kept. */
function tell({ name, end })
{
	console.log(`\nFailed: ${name}`);
	console.log(end.map((line) => `    ${line}`).join("\n"));
}

function longFirst(tasks)
{
	const rank = ({ long = -1 }) => long < 0 ? LONG.length : long;

	return [...tasks].sort((a, b) => rank(a) - rank(b));
}

/* Takes tasks off the queue's head, one after another, while it takes such tasks. */
async function lane(queue)
{
	while (queue.length)
		await carryOut(queue.shift());
}

/* How long a browser takes from its start to its end, ms: what a machine whose page faults are slow is known by. */
async function browserMs()
{
	const profile = mkdtempSync(join(tmpdir(), "stead-start-"));
	const begun = performance.now();

	await new Promise((done) => spawn("chromium", ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
		`--user-data-dir=${profile}`, "--dump-dom", "about:blank"], { stdio: "ignore" }).once("close", done).once("error", done));
	rmSync(profile, { recursive: true, force: true });
	return performance.now() - begun;
}

/* The first start reads the program from the disk. */
async function isQuick()
{
	await browserMs();
	const ms = await browserMs();

	if (ms > SLOW_MS)
		console.log(`A browser takes ${(ms / 1000).toFixed(1)} s to start and end here, so less is done at once.`);
	return ms <= SLOW_MS;
}

/*
 * Two at a time, beside them what is small, one after another, and what waits, with a fuzzer behind them all; then what goes by
 * the clock. Browsers are most of the work, and where they start quickly two of them leave a third of two cores idle: there are
 * three there once what is small is done, and among what goes by the clock, which mostly waits. Where they do not, a third would
 * make the others late for Stead's own times.
 */
async function carryOutAll(tasks)
{
	const of = (when) => tasks.filter((task) => (task.when ?? "early") === when);
	const queue = [...longFirst(of("early")), ...longFirst(of("late"))];
	const small = of("small"), waiting = of("waiting"), behind = of("behind"), last = longFirst(of("last"));

	const quick = !queue.length || await isQuick();
	const work = () => lane(queue).then(() => lane(small));

	await Promise.all([work(), work(), lane(small).then(quick ? work : undefined), lane(waiting), lane(behind)]);
	await Promise.all([lane(last), lane(last), quick ? lane(last) : undefined]);
}

function skipSystem(parts)
{
	if (!parts.includes("system") || ROOT_USER)
		return parts;
	console.log("The system tests boot a systemd of their own and need root: skipped.");
	total.skipped += systemTasks().length;
	return parts.filter((part) => part !== "system");
}

function stopAll()
{
	for (const child of running)
		process.kill(-child.pid, "SIGTERM");
	failures.forEach(tell);
	process.exit(130);
}

function chosenParts(args, parts)
{
	const unknown = args.find((part) => !parts.includes(part));

	if (unknown) {
		console.error(`There is no part "${unknown}" of it; there are ${parts.join(", ")}.`);
		process.exit(2);
	}
	return args.length ? args : parts;
}

/* The tasks of each part that --only leaves, and no part without any. */
function tasksOf(all, parts, only)
{
	const chosen = parts.map((part) => [part, all[part]().filter((task) => task.name.includes(only))])
		.filter(([, tasks]) => tasks.length);

	if (!chosen.length) {
		console.error(`There is no test with "${only}" in its name; build/test-logs has a file for each after a whole run.`);
		process.exit(2);
	}
	return new Map(chosen);
}

async function main()
{
	const [mode] = process.argv.slice(2);
	const soak = mode === "--soak", one = mode === "--only";
	const args = process.argv.slice(soak ? 3 : one ? 4 : 2);
	const begun = performance.now();
	const parts = skipSystem(chosenParts(args, soak ? SOAK_PARTS : PARTS));
	const all = { lint: lintTasks, unit: unitTasks, integration: integrationTasks, system: systemTasks, fire: fireTasks, wire: wireTasks,
		e2e: () => e2eTasks(soak ? SOAK_ROUNDS : 1), fuzz: () => fuzzTasks(soak ? SOAK_S : FUZZ_S) };
	const tasks = tasksOf(all, parts, one ? process.argv[3] ?? "" : "");

	rmSync(LOGS, { recursive: true, force: true });
	mkdirSync(LOGS, { recursive: true });
	process.on("SIGINT", stopAll).on("SIGTERM", stopAll).on("SIGHUP", stopAll);
	for (const task of buildTasks([...tasks.keys()]))
		if (!await carryOut(task))
			break;
	if (!failures.length)
		await carryOutAll([...tasks.values()].flat());
	failures.forEach(tell);
	console.log(`\nIn ${Math.round((performance.now() - begun) / 1000)} s:`);
	console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
	process.exit(total.failed || !total.passed ? 1 : 0);
}

await main();
