/* The words of common/vocabulary.h in every other place that knows them: the tables' checks, the page, the docs. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { HEALTH, OUTCOMES, PLANS, PLAN_MISSED, PLAN_RUNS, STATES } from "../../web/parts/words.js";
import { startPostgres } from "../lib/postgres.mjs";

const words = {};
let pg;

async function readWords()
{
	for (const [, name, value] of (await readFile("common/vocabulary.h", "utf8")).matchAll(/^#define (\w+)_WORDS (.*)$/gm))
		words[name] = value.split(/\s+/).flatMap((part) => part.startsWith("\"") ? part.slice(1, -1).split("|").filter(Boolean)
			: words[part.replace(/_WORDS$/, "")]);
}

/* What a table's check lets a column be. */
async function checked(table, column)
{
	const checks = (await pg.sql(`SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '${table}'::regclass
		AND contype = 'c' AND pg_get_constraintdef(oid) LIKE '%(${column} = ANY (ARRAY[%'`)).split("\n");

	assert.equal(checks.length, 1, `${table}.${column} has ${checks.length} checks`);
	return [...checks[0].split(`(${column} = ANY`)[1].matchAll(/'(\w+)'/g)].map(([, word]) => word);
}

const same = (some, others) => assert.deepEqual([...some].sort(), [...others].sort());

before(async () => {
	await readWords();
	pg = await startPostgres();
});
after(() => pg?.stop());

test("the tables take the words that there are", async () => {
	same(await checked("vault.sessions", "health"), words.HEALTH);
	same(await checked("vault.sessions", "kind"), words.SESSION_KIND);
	same(await checked("jobs.jobs", "outcome"), words.OUTCOME);
	same(await checked("jobs.lines", "level"), words.LEVEL);
	same(await checked("jobs.jobs", "state"), words.JOB);
	same(await checked("jobs.plans", "missed"), words.PLAN_MISSED);
	same(await checked("jobs.plan_runs", "became"), words.PLAN_RUN);
	const told = await readFile("botd/booking.h", "utf8"); /* a booking's state is its job's, in words for its person */

	assert.deepEqual(words.BOOKING.filter((word) => !told.includes(`'${word}'`)), []);
});

test("the page has words for each of them", () => {
	same(Object.keys(HEALTH), words.HEALTH);
	same(Object.keys(OUTCOMES), words.OUTCOME);
	same([...Object.keys(STATES), "done"], words.BOOKING); /* done is said by its outcome */
	same(Object.keys(PLANS), words.PLAN);
	same(Object.keys(PLAN_MISSED), words.PLAN_MISSED);
	same(Object.keys(PLAN_RUNS), words.PLAN_RUN);
});

test("the docs explain those that a recipe and a session can have", async () => {
	const [recipes, architecture] = await Promise.all(["recipes", "architecture"].map((name) => readFile(`docs/${name}.md`, "utf8")));

	for (const word of words.OUTCOME)
		assert.match(recipes, new RegExp(`\\b${word}\\b`), word);
	for (const word of [...words.PLAN_MISSED, ...words.PLAN_RUN])
		assert.ok(architecture.includes(`*${word}*`), word);
	for (const word of words.HEALTH)
		assert.ok(architecture.includes(`*${word}*`), word);
});
