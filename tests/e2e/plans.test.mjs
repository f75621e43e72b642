/* A plan as its person meets it: made on the page, books at the site when it comes due, is skipped, changed, paused and deleted. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { Person } from "../../demo/person.mjs";
import { openViewer, openWindow } from "../../demo/viewer.mjs";
import { becomes, day, LIMIT_MS, picture, startRig } from "./rig.mjs";

let rig, alice, browser, person;

const page = () => person.page;
const says = (text) => page().getByText(text).first().waitFor();
const plans = async () => (await alice.must("GET", "/plans")).plans;

before(async () => {
	rig = await startRig({ widget: false });
	alice = await rig.login("alice");
	await alice.savedSignIn();
	browser = await openViewer();
	person = new Person(await openWindow(browser), rig.url);
	await person.signInToStead({ name: "alice", password: rig.password });
});
after(async () => {
	await browser?.close();
	await rig?.stop();
});

describe("a plan", { concurrency: false }, () => {
	it("books at the site when it comes due", { timeout: LIMIT_MS }, async () => {
		const time = new Date(Date.now() + 3000).toISOString().slice(11, 19);
		const { plan } = await alice.must("POST", "/plans", { key: "soon", site: "desk", action: "book", inputs: { date: "+3", desk: "D-201" },
			schedule: { times: [time] } });
		const [run] = await becomes(async () => {
			const { past = [] } = await alice.must("GET", `/plans/${plan.id}`);

			return past.length && past;
		}, LIMIT_MS, "the plan did not run");
		const booking = await alice.bookingIs(run.booking, ["done"], LIMIT_MS);

		assert.equal(booking.outcome, "booked", booking.reason);
		assert.equal((await rig.booked()).filter((row) => row.desk === "D-201" && row.date === booking.inputs.date).length, 1);
		await alice.must("DELETE", `/plans/${plan.id}`, {});
	});

	it("is told of where there is none yet, and made from a booking's form", { timeout: LIMIT_MS }, async () => {
		await person.dashboard();
		await says("No plans yet.");
		await page().getByRole("link", { name: "Book a desk" }).first().click();
		await page().getByLabel("Desk").fill("D-204");
		await page().getByRole("link", { name: "Repeat …" }).click();
		await page().getByRole("heading", { name: "Book a desk, by itself" }).waitFor();
		assert.equal(await page().getByLabel("Desk", { exact: true }).inputValue(), "D-204", "what was typed goes along");
		await says("Every Monday at 08:00");
		await says(/Monday, .*: Desk D-204 on Mon /);
		await page().getByLabel("Thu").check();
		await says("Every Monday and Thursday at 08:00");
		await picture(page(), "plan-new");
		await page().getByRole("button", { name: "Add a time" }).click();
		await page().getByLabel("Time 2").fill("08:05");
		await says(/runs every 15 minutes at most/);
		await page().getByRole("button", { name: "Keep this plan" }).click();
		await page().getByRole("alert").getByText(/runs every 15 minutes at most/).waitFor();
		await picture(page(), "plan-form");
		await page().getByRole("button", { name: "Remove 08:05" }).click();
		await page().getByRole("button", { name: "Keep this plan" }).click();
		await page().getByRole("heading", { name: "Book a desk: D-204" }).waitFor();
		assert.deepEqual((await plans()).map(({ when, inputs }) => [when, inputs.date]), [["Every Monday and Thursday at 08:00", "+14"]]);
	});

	it("skips a run, and takes it in again", { timeout: LIMIT_MS }, async () => {
		const [{ id, next_when: next }] = await plans();

		await page().getByRole("button", { name: `Skip: ${next}` }).click();
		await page().getByRole("button", { name: `Take in again: ${next}` }).waitFor();
		await picture(page(), "plan-skipped");
		assert.notEqual((await plans())[0].next_when, next);
		await page().getByRole("button", { name: `Take in again: ${next}` }).click();
		await page().getByRole("button", { name: `Skip: ${next}` }).waitFor();
		assert.equal((await plans())[0].next_when, next);
		assert.equal(page().url(), `${rig.url}/plans/${id}`);
	});

	it("is changed, also to run once", { timeout: LIMIT_MS }, async () => {
		await page().getByRole("link", { name: "Change" }).click();
		await page().getByLabel("Time", { exact: true }).fill("09:30");
		await page().getByLabel("Day", { exact: true }).fill("7");
		await says("the same weekday, a week later");
		await page().getByRole("button", { name: "Change the plan" }).click();
		await says("Every Monday and Thursday at 09:30");
		await page().getByRole("link", { name: "Change" }).click();
		await page().getByLabel("Once").check();
		await page().getByRole("button", { name: "Change the plan" }).click();
		await says("Give the day.");
		await page().getByLabel("Day of the run").fill(day(10));
		await page().getByLabel("Day", { exact: true }).fill(day(12));
		await page().getByRole("button", { name: "Change the plan" }).click();
		await says(/^Once, on \w+day, \d+ \w+ \d{4} at 09:30/);
	});

	it("is paused and goes on, on the dashboard, where it says what is wrong", { timeout: LIMIT_MS }, async () => {
		const [{ id }] = await plans();

		await alice.must("POST", "/plans", { key: "second", site: "desk", action: "book", inputs: { date: "+14", desk: "D-205" },
			schedule: { days: ["mon", "tue", "wed", "thu", "fri"], times: ["08:00", "17:30"], missed: "tell" } });
		await rig.postgres.sql(`INSERT INTO jobs.plan_runs (plan_id, at, user_id, day, became, reason) SELECT id, now(), user_id, now()::date, 'refused',
			'You have as many bookings that wait as there may be, so it was not asked for.' FROM jobs.plans WHERE id = ${id}`);
		await person.dashboard();
		await says("Every working day at 08:00 and 17:30");
		await says(/as many bookings that wait/);
		await picture(page(), "plans");
		await page().getByRole("button", { name: "Pause Book a desk: D-205" }).click();
		await picture(page(), "plan-pause");
		await page().getByRole("dialog").getByRole("button", { name: "Pause" }).click();
		await says("No run until it is resumed.");
		await page().getByRole("button", { name: "Resume Book a desk: D-205" }).click();
		await page().getByRole("button", { name: "Skip the next run of Book a desk: D-205" }).click();
		await page().getByRole("button", { name: "Undo" }).click();
		await page().goto(`${rig.url}/plans/${id}`);
		await says("Not asked for");
		await picture(page(), "plan");
	});

	it("is deleted once its person is sure", { timeout: LIMIT_MS }, async () => {
		await page().getByRole("button", { name: "Delete …" }).click();
		await page().getByRole("button", { name: "Keep it" }).click();
		assert.equal((await plans()).length, 2);
		await page().getByRole("button", { name: "Delete …" }).click();
		await page().getByRole("button", { name: "Delete the plan" }).click();
		await becomes(async () => (await plans()).length === 1, LIMIT_MS, "it is still there");
		await says("Every working day at 08:00 and 17:30");
	});
});
