/*
 * Whose page it is: one person's, whoever signs in beside it in the same browser, and whatever becomes of the login. What was
 * typed is not lost, what is sent is not sent as somebody else, and what may have been done is not asked for twice.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";

import { Person } from "../../demo/person.mjs";
import { openViewer, openWindow } from "../../demo/viewer.mjs";
import { day, LIMIT_MS, startRig } from "./rig.mjs";

let rig, browser, person, mistakes;

const page = () => person.page;
const button = (name, on = page()) => on.getByRole("button", { name, exact: true });

async function signedIn(name)
{
	const one = new Person(await openWindow(browser), rig.url);

	await one.signInToStead({ name, password: rig.password });
	return one;
}

/* The form, with a day and a desk, not sent. */
async function filled(desk, date = day(10))
{
	await page().goto(`${rig.url}/sites/desk/book/book`);
	await page().getByLabel("Day", { exact: true }).fill(date);
	await page().getByLabel(/^Desk/).fill(desk);
}

/* As when somebody comes back to the tab. */
const look = () => page().evaluate(() => document.dispatchEvent(new Event("visibilitychange")));

/* In another tab of the same browser. */
async function signsInBeside(name)
{
	const tab = new Person(await page().context().newPage(), rig.url);

	await page().context().clearCookies();
	await tab.signInToStead({ name, password: rig.password });
	return tab;
}

async function signInAgain(name)
{
	const dialog = page().getByRole("dialog");

	await dialog.getByLabel("Name").fill(name);
	await dialog.getByLabel("Password").fill(rig.password);
	await button("Sign in", dialog).click();
	await dialog.waitFor({ state: "detached" });
}

const desksOf = async (name) => (await rig.postgres.sql(`SELECT string_agg(b.inputs ->> 'desk', ' ' ORDER BY b.id) FROM jobs.bookings b
	JOIN authd.users u ON u.id = b.user_id WHERE u.name = '${name}'`)).trim();

before(async () => {
	rig = await startRig();
	await rig.login("alice");
	await rig.login("bob");
	browser = await openViewer();
}, { timeout: LIMIT_MS });
after(async () => {
	await browser?.close();
	await rig?.stop();
});
beforeEach(async () => {
	await person?.page.context().close();
	await rig.postgres.sql("DELETE FROM jobs.jobs");
	person = await signedIn("alice");
	mistakes = [];
	page().on("pageerror", (error) => mistakes.push(error.message));
});

describe("a page whose login has ended", { concurrency: false }, () => {
	it("asks for the person as they come back, over all that they had typed", { timeout: LIMIT_MS }, async () => {
		await filled("D-205");
		await page().context().clearCookies();
		await look();
		await page().getByText("Your sign-in to Stead has ended.").waitFor();
		await signInAgain("alice");
		assert.equal(await page().getByLabel(/^Desk/).inputValue(), "D-205");
		assert.deepEqual(mistakes, []);
	});

	it("goes on by itself once the same person has signed in beside it", { timeout: LIMIT_MS }, async () => {
		await filled("D-205");
		await page().context().clearCookies();
		await look();
		await page().getByRole("dialog").waitFor();
		await signsInBeside("alice");
		await look();
		await page().getByRole("dialog").waitFor({ state: "detached" });
		assert.equal(await page().getByLabel(/^Desk/).inputValue(), "D-205");
	});
});

describe("another person in the same browser", { concurrency: false }, () => {
	const said = () => page().getByText("In this browser bob has signed in to Stead since this page was opened.");

	it("sends nothing of what the page was about to send", { timeout: LIMIT_MS }, async () => {
		await filled("D-206");
		await signsInBeside("bob");
		await page().locator("form button[type=submit]").click();
		await said().waitFor();
		assert.equal(await desksOf("bob"), "");
		assert.equal(await desksOf("alice"), "");
		await signInAgain("alice");
		await page().waitForURL(/\/bookings\/\d+$/);
		assert.equal(await desksOf("alice"), "D-206");
		assert.equal(await desksOf("bob"), "");
	});

	it("sees nothing of it, once it has been left to them", { timeout: LIMIT_MS }, async () => {
		await rig.login("alice").then((alice) => alice.book({ date: day(11), desk: "D-209" }));
		await page().reload();
		await page().getByText(/D-209/).first().waitFor();
		await signsInBeside("bob");
		await look();
		await said().waitFor();
		await button("Leave this page to them").click();
		await page().getByText("bob", { exact: true }).waitFor();
		await person.heading("Dashboard").waitFor();
		assert.equal(await page().getByText(/D-209/).count(), 0);
	});

	it("who signs in over it begins anew", { timeout: LIMIT_MS }, async () => {
		await filled("D-207");
		await page().context().clearCookies();
		await page().locator("form button[type=submit]").click();
		await page().getByRole("dialog").waitFor();
		await signInAgain("bob");
		await person.heading("Dashboard").waitFor();
		assert.equal(await desksOf("bob"), "");
		assert.equal(await desksOf("alice"), "");
	});
});

describe("an answer that does not come as it should", { concurrency: false }, () => {
	const ORDERS = "**/api/v1/bookings";

	/* answer(route, n): how the n-th request for a booking is answered, from 1. */
	async function ordersAre(answer)
	{
		const keys = [];

		await page().route(ORDERS, async (route) => {
			if (route.request().method() !== "POST")
				return route.continue();
			keys.push(route.request().postDataJSON().key);
			return answer(route, keys.length);
		});
		return keys;
	}

	it("cut in the middle: it is sent again with its key", { timeout: LIMIT_MS }, async () => {
		const keys = await ordersAre(async (route, n) => n > 1 ? route.continue()
			: route.fulfill({ response: await route.fetch(), body: "{\"booking\":{\"id\":" }));

		await filled("D-210");
		await page().locator("form button[type=submit]").click();
		await page().waitForURL(/\/bookings\/\d+$/);
		assert.equal(keys.length, 2);
		assert.equal(keys[0], keys[1]);
		assert.equal(await desksOf("alice"), "D-210");
	});

	it("never: sent again from the form, it is the same booking", { timeout: LIMIT_MS }, async () => {
		let deaf = true;
		const keys = await ordersAre(async (route) => {
			if (!deaf)
				return route.continue();
			await route.fetch();
			return route.abort();
		});

		await filled("D-211");
		await page().locator("form button[type=submit]").click();
		await button("Send again").waitFor();
		deaf = false;
		await button("Back to the form").click();
		await page().locator("form button[type=submit]").click();
		await page().waitForURL(/\/bookings\/\d+$/);
		assert.ok(keys.length > 2, `${keys.length}`);
		assert.equal(new Set(keys).size, 1);
		assert.equal(await desksOf("alice"), "D-211");
	});

	it("later, for it was one too many in a minute: the page is not left without a warning", { timeout: LIMIT_MS }, async () => {
		let late = true;

		await ordersAre((route) => late ? route.fulfill({ status: 429, headers: { "Retry-After": "5" }, contentType: "application/json",
			body: "{\"error\":{\"code\":\"throttled\",\"message\":\"Later.\"}}" }) : route.continue());
		await filled("D-212");
		await page().locator("form button[type=submit]").click();
		await page().getByText("As many as a minute takes; sent in a moment").waitFor();
		assert.equal(await button("Back to the form").count(), 0);
		assert.ok(await page().evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true }))), "nothing warns");
		late = false;
		await page().waitForURL(/\/bookings\/\d+$/);
		assert.equal(await desksOf("alice"), "D-212");
	});

	it("while it is waited for: pressing the button opens no second sign-in", { timeout: LIMIT_MS }, async () => {
		let opened = 0, answer;
		const held = new Promise((done) => {
			answer = done;
		});

		await page().clock.install();
		await page().route("**/api/v1/streams", async (route) => {
			if (route.request().method() === "POST")
				opened += 1;
			if (opened > 1)
				await held;
			return route.fulfill(route.request().method() === "GET" ? { json: { streams: [] } }
				: { status: 503, json: { error: { code: "busy", message: "All browsers are taken." } } });
		});
		await page().goto(`${rig.url}/sites/desk/sign-in`);
		await page().getByText("All browsers are taken.").waitFor();
		const asked = page().waitForRequest((request) => request.method() === "POST");

		await button("Try again").click();
		await asked;
		await page().clock.fastForward(120_000);
		const next = page().waitForResponse((response) => response.request().method() === "POST");

		answer();
		await next;
		await button("Try again").waitFor();
		assert.equal(opened, 2);
	});
});
