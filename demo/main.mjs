/*
 * "make demo": starts all of Stead in a directory below /tmp, takes the tour and stays up until Ctrl-C.
 *
 *	node demo/main.mjs [--tour-only] [--port N] [--pictures DIR]
 *
 * --tour-only leaves after the tour. Exit status: 0 all is well, 1 the tour or a daemon failed, 2 misused. --pictures
 * keeps pictures of the pages in DIR, as the README shows them.
 */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { startStack } from "./stack.mjs";
import { Tour } from "./tour.mjs";
import { openViewer } from "./viewer.mjs";

const TREE = resolve(fileURLToPath(new URL("..", import.meta.url)));
const DEFAULT_PORT = 8080;
const INTERRUPTED = 130; /* as a shell says it */
const CLEAR_LINE = "\r\x1b[K";

function options()
{
	try {
		return parseArgs({ options: { "tour-only": { type: "boolean" }, port: { type: "string" },
			pictures: { type: "string" } } }).values;
	} catch (error) {
		console.error(`demo/main.mjs: ${error.message}`);
		process.exit(2);
	}
}

function checkPort(port)
{
	if (port === undefined || (/^\d+$/.test(port) && Number(port) >= 1024 && Number(port) < 65536))
		return;
	console.error(`PORT=${port} cannot be used: the demo serves on a port from 1024 to 65535.`);
	process.exit(2);
}

function duration(ms)
{
	return ms < 10_000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function say({ title, text, ms })
{
	if (title)
		console.log(`\n${title}`);
	else
		console.log(`  ✓ ${duration(ms).padStart(9)}  ${text}`);
}

/* Both colour schemes, once the page has settled in each. */
function photographer(directory)
{
	return async (page, name) => {
		for (const colorScheme of ["dark", "light"]) {
			await page.emulateMedia({ colorScheme });
			await page.screenshot({ path: join(directory, `${name}-${colorScheme}.png`) });
		}
	};
}

/* The wanted port; another one if somebody has that. */
async function start(port, unasked)
{
	try {
		return await startStack({ port, unasked });
	} catch (error) {
		if (error.code !== "EADDRINUSE")
			throw error;
		console.log(`Port ${port} is taken, so another one is used.`);
		return startStack({ unasked });
	}
}

async function takeTour(stead, pictures)
{
	const browser = await openViewer();
	const tour = new Tour({ stead, browser, say, picture: pictures && photographer(pictures) });

	try {
		await tour.run();
	} catch (error) {
		console.log(`  ✗ ${tour.current}\n\n${error.message}`);
		for (const path of await tour.photograph(join(stead.dir, "log")).catch(() => []))
			console.log(`What it looked like: ${path}`);
		console.log(`The daemons' logs: ${join(stead.dir, "log")}`);
		throw Object.assign(error, { told: true });
	} finally {
		await browser.close();
	}
}

function invite(stead)
{
	const [account, ...others] = stead.sites.info.accounts;

	console.log(`
Stead is at    ${stead.url}
  sign in as   ${stead.admin.name}
  password     ${stead.admin.password}
At Deskwise    the person to sign in as is
  user name    ${account.login}
  password     ${account.password}
  code         ${process.stdout.isTTY ? "the line below has the current one"
		: `curl -s --unix-socket ${stead.sites.info.control} 'http://sites/totp?login=${account.login}'`}
  (others: ${others.map(({ login, password }) => `${login}, ${password}`).join("; ")})
For the administrator, in another terminal
  ${join(TREE, "build/plain/bin/steadctl")} --socket-dir ${stead.run} status

Ctrl-C ends everything and removes it. Logs are in ${join(stead.dir, "log")}.
`);
}

/* The current one-time code, rewritten in place on a terminal. */
async function showCode(stead)
{
	const { code, seconds_left: left } = await stead.sites.control("/totp?login=alice");

	process.stdout.write(`${CLEAR_LINE}One-time code of alice: ${code}, for another ${left} s `);
}

function untilInterrupted()
{
	return new Promise((resolve) => {
		for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
			process.once(signal, resolve);
	});
}

async function stayUp(stead, interrupted)
{
	invite(stead);

	const clock = process.stdout.isTTY && setInterval(() => showCode(stead).catch(() => {}), 1000);

	await interrupted;
	clearInterval(clock);
	console.log(process.stdout.isTTY ? `${CLEAR_LINE}Ending …` : "Ending …");
}

async function main()
{
	const { "tour-only": tourOnly, port, pictures } = options();

	checkPort(port);
	const interrupted = untilInterrupted();
	const begun = performance.now();
	let died;
	const death = new Promise((_, reject) => {
		died = (sentence) => {
			reject(new Error(`\n${sentence}`));
		};
	});

	death.catch(() => {});
	if (pictures)
		await mkdir(pictures, { recursive: true });
	const stead = await start(Number(port ?? (tourOnly ? 0 : DEFAULT_PORT)), died);
	let failed = true, status = 0;

	say({ title: "Stead" });
	say({ text: `PostgreSQL, the stand-in sites, four daemons and nginx serve at ${stead.url}`,
		ms: Math.round(performance.now() - begun) });
	try {
		const tour = takeTour(stead, pictures).then(() => "done");

		tour.catch(() => {});
		const how = await Promise.race([tour, interrupted.then(() => "interrupted"), death]);

		if (how === "done") {
			console.log(`\nThe whole tour took ${duration(Math.round(performance.now() - begun))}.`);
			if (!tourOnly)
				await Promise.race([stayUp(stead, interrupted), death]);
		} else {
			console.log("\nInterrupted before the end of the tour. Ending …");
			status = INTERRUPTED;
		}
		failed = false;
	} finally {
		await stead.stop({ keep: failed });
	}
	return status;
}

main().then((status) => process.exit(status), (error) => {
	if (!error.told)
		console.error(error.message);
	process.exit(1);
});
