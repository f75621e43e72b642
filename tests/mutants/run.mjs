/*
 * Shows that the tests notice: builds Stead with one thing wrong at a time, in a copy, and runs the test that must turn
 * red; two at a time, for most tests mostly wait. No switch of the product does any of this.
 *
 *	node tests/mutants/run.mjs [WORD ...]    only the mutants whose name has one of the words
 *
 * Exit status: 0 every mutant was caught, 1 one survived or no longer fits the code.
 */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { mutants } from "./mutants.mjs";

const ROOT = resolve(fileURLToPath(new URL("../..", import.meta.url)));
const MOST_MS = 900_000;
/* Most of what is wrong shows by what never comes. */
const WAIT_MS = 40_000;

/* Resolves to { status, output }; never rejects. status: null if it took too long, which shows nothing. */
function run(command, args, cwd)
{
	return new Promise((done) => {
		const how = { cwd, env: { ...process.env, STEAD_WAIT_MS: WAIT_MS }, timeout: MOST_MS, killSignal: "SIGTERM", maxBuffer: 64 << 20 };

		execFile(command, args, how, (error, out, err) =>
			done({ status: error?.killed ? null : error ? error.code ?? 1 : 0, output: out + err }));
	});
}

function mutate(text, changes, file)
{
	for (const [from, to] of changes) {
		if (text.split(from).length !== 2)
			throw new Error(`${file} does not hold exactly once: ${from.trim().split("\n")[0]}`);
		text = text.replace(from, () => to);
	}
	return text;
}

async function build(copy, targets)
{
	const { status, output } = await run("make", ["-s", "-j2", ...targets.map((target) => `build/plain/${target}`)], copy);

	if (status !== 0)
		throw new Error(`it does not build:\n${output.slice(-2000)}`);
}

/* The status of its test, in the copy with the mutation or (changes empty) without. */
async function tryOut(copy, { file, changes, targets, command }, mutated)
{
	const path = join(copy, file), original = await readFile(path, "utf8");

	try {
		if (mutated)
			await writeFile(path, mutate(original, changes, file));
		await build(copy, targets);
		return await run(command[0], command.slice(1), copy);
	} finally {
		await writeFile(path, original);
	}
}

async function makeCopy()
{
	const copy = await mkdtemp(join(tmpdir(), "stead-mutants-"));
	const skip = new Set([join(ROOT, "node_modules"), join(ROOT, ".git"), join(ROOT, "build/asan"), join(ROOT, "build/fuzz")]);

	await cp(ROOT, copy, { recursive: true, preserveTimestamps: true, filter: (path) => !skip.has(path) });
	await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
	return copy;
}

function chosen(words)
{
	return words.length ? mutants.filter(({ name }) => words.some((word) => name.includes(word))) : mutants;
}

/* A test that is red anyway shows nothing: each is seen green first, once, by whoever needs it first. */
function mustBeGreen(copy, mutant, seen)
{
	const test = mutant.command.join(" ");

	if (!seen.has(test))
		seen.set(test, tryOut(copy, mutant, false));
	return seen.get(test).then(({ status, output }) => {
		if (status !== 0)
			throw new Error(`its test is red without it:\n${output.slice(-2000)}`);
	});
}

async function mustBeCaught(copy, mutant)
{
	const test = mutant.command.join(" "), { status } = await tryOut(copy, mutant, true);

	if (status === 0)
		throw new Error(`survived: ${test} passes`);
	if (status === null)
		throw new Error(`${test} was ended after ${MOST_MS / 1000} s`);
}

/* Takes one after another from what is left, in a copy of its own; the number of those that were not caught. */
async function work(left, seen)
{
	const copy = await makeCopy();
	let bad = 0;

	for (let mutant = left.shift(); mutant; mutant = left.shift()) {
		try {
			await mustBeGreen(copy, mutant, seen);
			await mustBeCaught(copy, mutant);
			console.log(`  ✓ caught: ${mutant.name}`);
		} catch (error) {
			console.log(`  ✗ ${mutant.name}: ${error.message}`);
			bad++;
		}
	}
	await rm(copy, { recursive: true, force: true });
	return bad;
}

async function main()
{
	const all = chosen(process.argv.slice(2)), left = [...all], seen = new Map();
	const bad = (await Promise.all([work(left, seen), work(left, seen)])).reduce((a, b) => a + b);

	console.log(`${all.length - bad} passed, ${bad} failed`);
	return bad ? 1 : 0;
}

process.exitCode = await main();
