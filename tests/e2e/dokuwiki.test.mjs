/*
 * Stead and a site that was not made for it: Debian's DokuWiki, as it is packaged, of which streamd and botd know
 * nothing but tests/e2e/dokuwiki/sites/wiki.json. docs/first-recipe.md tells how that file came about.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { startStack } from "../../demo/stack.mjs";
import { openViewer, openWindow } from "../../demo/viewer.mjs";
import { Visitor } from "./dokuwiki/visitor.mjs";
import { startWiki } from "./dokuwiki/wiki.mjs";

const TUTORIAL = fileURLToPath(new URL("../../docs/first-recipe.md", import.meta.url));
const RECIPES = fileURLToPath(new URL("dokuwiki/sites", import.meta.url));
const PAT = { login: "pat", password: "otters like 3 rivers" };
const DAY_MS = 86_400_000;
const TIMEOUT_MS = 300_000;

let dir, wiki, stead, browser, pat;

function day(n)
{
	return new Date(Date.now() + n * DAY_MS).toISOString().slice(0, 10);
}

async function sessions()
{
	return pat.page.evaluate(async () => (await (await fetch("/api/v1/sessions")).json()).sessions);
}

before(async () => {
	assert.ok(existsSync("/usr/share/dokuwiki/doku.php"), "DokuWiki is not installed: apt-get install php8.2-cgi dokuwiki");
	dir = await mkdtemp("/tmp/stead-");
	await mkdir(join(dir, "wiki"));
	wiki = await startWiki({ dir: join(dir, "wiki"), people: [PAT] });
	stead = await startStack({ dir, settings: {
		shared: { recipes: RECIPES, ...wiki.settings },
	} });
	browser = await openViewer();
	pat = new Visitor(await openWindow(browser), stead.url);
}, { timeout: TIMEOUT_MS });

after(async () => {
	await browser?.close();
	await stead?.stop();
	await wiki?.stop();
	if (dir && !process.env.STEAD_KEEP)
		await rm(dir, { recursive: true, force: true });
});

test("the tutorial ends with this very recipe", async () => {
	const blocks = [...(await readFile(TUTORIAL, "utf8")).matchAll(/^```json\n([^]*?)^```/gm)].map(([, text]) => JSON.parse(text));

	assert.equal(blocks.length, 2);
	assert.deepEqual({ ...blocks[0], ...blocks[1] }, JSON.parse(await readFile(join(RECIPES, "wiki.json"), "utf8")));
});

test("a person signs in to DokuWiki; it is proved and saved", { timeout: TIMEOUT_MS }, async () => {
	await pat.signInToStead(stead.admin);
	await pat.openWiki(pat.wikiCard.getByRole("link", { name: "Sign in to Team wiki" }));
	await pat.signInAtWiki(PAT);
	await pat.stepReached("Proving");
	await pat.saved();
	assert.deepEqual((await sessions()).map(({ site, account, health }) => ({ site, account, health })),
		[{ site: "wiki", account: "pat", health: "working" }]);
});

test("a bot writes a page with that session and reads it back", { timeout: TIMEOUT_MS }, async () => {
	const [date, page] = [day(5), `rooms:blue:${day(5)}`];
	const [{ version }] = await sessions();

	await pat.reserve({ room: "blue", date, what: "Planning, **all** of us" });
	await pat.bookingIs("Booked");
	assert.equal(await wiki.page(page), "  * Taken by **pat**: %%Planning, **all** of us%%");
	assert.equal(await wiki.saves(page), 1);

	const [session] = await sessions();

	assert.equal(session.health, "working");
	assert.ok(session.version >= version, "the session has gone back");
});

test("what is there already is not written again", { timeout: TIMEOUT_MS }, async () => {
	const page = `rooms:blue:${day(5)}`;
	const text = await wiki.page(page);

	await pat.reserve({ room: "blue", date: day(5), what: "something else" });
	await pat.bookingIs("Was booked already");
	assert.equal(await wiki.page(page), text);
	assert.equal(await wiki.saves(page), 1);
});

test("a room that somebody else has is full, and stays theirs", { timeout: TIMEOUT_MS }, async () => {
	const page = `rooms:green:${day(6)}`;
	const theirs = "  * Taken by **sam**: %%Retrospective%%\n";

	await wiki.write(page, theirs);
	await pat.reserve({ room: "green", date: day(6), what: "Planning" });
	await pat.bookingIs("Full");
	assert.equal(await wiki.page(page), theirs);
});

test("when the wiki has forgotten the sign-in, the booking waits for the person and then goes on",
	{ timeout: TIMEOUT_MS }, async () => {
		const page = `rooms:green:${day(7)}`;

		await wiki.forget();
		await pat.reserve({ room: "green", date: day(7), what: "Planning" });
		await pat.bookingIs("Needs your sign-in");
		assert.equal(await wiki.page(page), null);

		await pat.openWiki(pat.page.getByRole("link", { name: "Sign in", exact: true }));
		await pat.signInAtWiki(PAT);
		await pat.saved();
		await pat.page.getByRole("link", { name: "Back to the booking" }).click();
		await pat.bookingIs("Booked");
		assert.equal(await wiki.page(page), "  * Taken by **pat**: %%Planning%%");
		assert.equal(await wiki.saves(page), 1);
	});
