/*
 * The page of the queues and the workers, as an administrator meets it: what waits and why, what a worker does, and what is
 * refused, told where it happened. Whoever is no administrator does not get there.
 */
import assert from "node:assert/strict";
import { hostname } from "node:os";
import { after, afterEach, before, describe, it } from "node:test";

import { Person } from "../../demo/person.mjs";
import { openViewer, openWindow } from "../../demo/viewer.mjs";
import { becomes, day, LIMIT_MS, picture, startRig } from "./rig.mjs";

const PAUSED = "An administrator has paused the work at this site; it goes on by itself after that.";

let rig, alice, browser, admin, person;

const page = () => admin.page;
const button = (name, on = page()) => on.getByRole("button", { name, exact: true });
const says = (text, on = page()) => on.getByText(text).first().waitFor();
const queue = () => page().getByRole("article", { name: "Deskwise" });
const counts = (what, n) => queue().getByText(what).locator("..").getByText(String(n), { exact: true }).waitFor();
const focused = () => page().evaluate(() => document.activeElement.getAttribute("aria-label"));
const worker = () => page().locator(".worker");
const slow = (ms) => rig.sites.control("/knobs", { slow_ms: ms });
const queueOf = async () => (await rig.steadctl("queue", "list")).queues.find(({ name }) => name === "desk");
const setAdmin = (is) => rig.postgres.sql(`UPDATE authd.users SET admin = ${is} WHERE name = 'alice'`);

async function window(account)
{
	const one = new Person(await openWindow(browser), rig.url);

	await one.signInToStead(account);
	return one;
}

before(async () => {
	rig = await startRig({ widget: false, settings: { botd: { lease_ms: 3000 } } });
	alice = await rig.login("alice");
	await alice.savedSignIn();
	browser = await openViewer();
	person = await window({ name: "alice", password: rig.password });
	admin = await window(rig.stack.admin);
});
after(async () => {
	await browser?.close();
	await rig?.stop();
});

describe("the page of the work", { concurrency: false }, () => {
	let waiting;

	afterEach(() => slow(0));

	it("is not for whoever is no administrator", { timeout: LIMIT_MS }, async () => {
		const asked = [];

		assert.equal(await person.page.getByRole("link", { name: "Work", exact: true }).count(), 0);
		person.page.on("request", (request) => asked.push(new URL(request.url()).pathname));
		await person.page.goto(`${rig.url}/work`);
		await says(/^Only administrators see the queues/, person.page);
		assert.deepEqual(asked.filter((path) => /^\/api\/v1\/(queues|workers)/.test(path)), [], "nor is anything asked for them");
	});

	it("shows a site where nothing waits, and who would do it", { timeout: LIMIT_MS }, async () => {
		await page().getByRole("link", { name: "Work", exact: true }).click();
		await says("Nothing waits.", queue());
		await says("Goes on", queue());
		await says(hostname(), worker());
		await says(`Process ${rig.daemon("botd").pid}`, worker());
		await says("Leads", worker());
		await says("Nothing to do", worker());
	});

	it("pauses once its administrator is sure, and whose booking waits is told why", { timeout: LIMIT_MS }, async () => {
		await button("Pause the work at Deskwise").click();
		await says(/What is under way goes on/, page().getByRole("dialog"));
		await picture(page(), "work-pause");
		await button("Cancel").click();
		assert.equal(await queueOf(), undefined, "nothing has been said of it");
		assert.equal(await focused(), "Pause the work at Deskwise", "whoever uses the keyboard is where they were");
		await button("Pause the work at Deskwise").click();
		await button("Pause", page().getByRole("dialog")).click();
		await says("Paused", queue());
		waiting = await alice.book({ date: day(3), desk: "D-201" });
		await person.page.goto(`${rig.url}/bookings/${waiting.id}`);
		await says(PAUSED, person.page);
		await counts("Waiting for a turn", 1);
		await picture(page(), "work-paused");
	});

	it("resumes it, and shows the worker at work", { timeout: LIMIT_MS }, async () => {
		await slow(2000);
		await button("Resume the work at Deskwise").click();
		await says("Goes on", queue());
		await says(`Booking ${waiting.id}`, worker());
		await says("at Deskwise, for alice", worker());
		await says("At work", worker());
		await counts("Under way", 1);
		assert.equal(await worker().getByRole("link").count(), 0, "another's booking cannot be looked at");
		await picture(page(), "work-busy");
		await slow(0);
		assert.equal((await alice.bookingIs(waiting.id, ["done"], LIMIT_MS)).outcome, "booked");
		await says("Nothing to do", worker());
	});

	it("sets a limit, and takes it away", { timeout: LIMIT_MS }, async () => {
		const dialog = page().getByRole("dialog");

		await button("Limit the work at Deskwise").click();
		await dialog.getByLabel(/^At most/).fill("0");
		await button("Set", dialog).click();
		assert.equal(await queueOf().then((one) => one?.most), undefined, "0 is no number of bookings");
		await dialog.getByLabel(/^At most/).fill("1");
		await picture(page(), "work-limit");
		await page().keyboard.press("Enter");
		await says("At most 1 at once, by all workers together.", queue());
		assert.equal((await queueOf()).most, 1);
		await button("Limit the work at Deskwise").click();
		await picture(page(), "work-unlimit");
		await button("No limit", dialog).click();
		await says("No limit of its own.", queue());
		assert.equal((await queueOf()).most, undefined);
	});

	it("shows a queue whose site has no recipe any more, and resumes it", { timeout: LIMIT_MS }, async () => {
		const gone = page().getByRole("article", { name: "gone" });

		await rig.postgres.sql("INSERT INTO jobs.queues (name, paused, most) VALUES ('gone', true, 3)");
		await says("Paused", gone);
		await says("At most 3 at once, by all workers together.", gone);
		await picture(page(), "work-gone");
		await button("Resume the work at gone").click();
		await says("Goes on", gone);
		await rig.postgres.sql("DELETE FROM jobs.queues WHERE name = 'gone'");
		await gone.waitFor({ state: "detached" });
	});

	it("without botd says that, says what was refused where it was, and comes back by itself", { timeout: LIMIT_MS }, async () => {
		const away = /^The part of Stead that does the work is away; what waits is safe/;
		const dialog = page().getByRole("dialog");

		await rig.daemon("botd").stop();
		await says(away);
		await says("Nothing waits.", queue()); /* what was last known */
		await button("Limit the work at Deskwise").click();
		await dialog.getByLabel(/^At most/).fill("2");
		await button("Set", dialog).click();
		await dialog.getByRole("alert").waitFor();
		await button("Cancel", dialog).click();
		await button("Pause the work at Deskwise").click();
		await button("Pause", dialog).click();
		await queue().getByRole("alert").waitFor();
		await picture(page(), "work-away");
		await rig.daemon("botd").start();
		await page().getByText(away).waitFor({ state: "detached" });
		await button("Close this message", queue()).click();
		assert.equal(await queue().getByRole("alert").count(), 0);
	});

	it("tells of a worker that was killed", { timeout: LIMIT_MS }, async () => {
		await rig.daemon("botd").kill("SIGKILL");
		await rig.daemon("botd").start();
		await worker().filter({ hasText: "Silent" }).getByText(/^It has ended without saying so/).waitFor();
		await worker().filter({ hasText: "Leads" }).getByText("Nothing to do").waitFor();
		await picture(page(), "work-silent");
	});

	it("leads its administrator to a booking of their own, and says when they are none any more", { timeout: LIMIT_MS }, async () => {
		await setAdmin(true);
		await slow(2000);
		const { id } = await alice.book({ date: day(4), desk: "D-202" });

		await person.page.goto(`${rig.url}/work`);
		await person.page.getByRole("link", { name: `Booking ${id}` }).click();
		await person.page.getByRole("heading", { name: /D-202/ }).waitFor();
		await person.page.goBack();
		await says("Goes on", person.page);
		await setAdmin(false);
		await button("Limit the work at Deskwise", person.page).click();
		await person.page.getByLabel(/^At most/).fill("3");
		await button("Set", person.page).click();
		await person.page.getByRole("dialog").getByRole("alert").waitFor();
		assert.equal((await queueOf())?.most, undefined);
		await slow(0);
		await becomes(async () => (await alice.booking(id)).state === "done", LIMIT_MS, "it was to be done");
	});
});
