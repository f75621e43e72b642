/*
 * An act that may have been sent is never sent again by itself: it is looked for in the site's own list, and only a list that
 * shows its own mark counts as one. What counts is how often the site was asked.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";

import { Person } from "../../demo/person.mjs";
import { openViewer, openWindow } from "../../demo/viewer.mjs";
import { becomes, day, startRig } from "../e2e/rig.mjs";

const LONG_MS = 600_000;
const CONFIRM_MS = 6000;

let rig, alice, last = 0;

const control = (path, body) => rig.sites.control(path, body);
const ended = (id) => alice.bookingIs(id, ["done"], LONG_MS);
const asked = async ({ date, desk }) => (await control("/state")).asked.filter((one) => one.date === date
	&& one.spaceId === 10_000 + Number(desk.slice(2))).length;
const log = async (id) => (await alice.must("GET", `/bookings/${id}/log`)).lines.map(({ text }) => text);

/* A day and a desk of its own for each test, so that the site's counts are its own; a day is four weeks ahead at most. */
const wish = (n = ++last) => ({ date: day(1 + (n - 1) % 28), desk: n > 28 ? "D-202" : "D-201" });

/* The list is a page of its own, as in most applications; the plan of a day has an address. */
function ownPage(desk)
{
	const { steps, list } = desk.actions.book;
	const [open] = steps.splice(0, steps.findIndex(({ say }) => say === "wait for the floor plan"));

	desk.settle.quiet_ms = 500;
	steps.unshift({ ...open, url: `${open.url}?date={date}` });
	steps.at(-1).timeout_ms = 500;
	delete list.again;
	list.steps = [{ step: "open", url: "https://desk.test/mine", say: "open the list of your bookings" },
		{ ...list.steps.at(-1), at: { css: ".UITable .UITable---row" }, timeout_ms: 4000 }];
	Object.assign(list, { none: { css: ".UITable .empty" }, patience_ms: 500, confirm_ms: CONFIRM_MS });
}

/* How long what was sent is looked for, once the site has answered. */
function confirmFor(ms)
{
	return rig.changeRecipe((desk) => {
		desk.actions.book.list.confirm_ms = ms;
	});
}

/* It stands there already, and nobody of Stead has asked for it. */
async function standing()
{
	const inputs = wish();

	await control("/book", { login: "alice", ...inputs });
	return inputs;
}

async function post(id, verb, body = {})
{
	return (await alice.must("POST", `/bookings/${id}/${verb}`, body)).booking;
}

async function reached(count, at_least)
{
	assert.ok((await control(`/wait?count=${count}&at_least=${at_least}&timeout_ms=60000`)).reached, `the site was to count ${at_least} ${count}`);
}

before(async () => {
	rig = await startRig({ widget: false, recipe: ownPage, settings: { botd: { retry_ms: 1000, lease_ms: 3000, tries: 3 } } });
	alice = await rig.login("alice");
	await alice.savedSignIn();
});
afterEach(() => control("/knobs", { mine_errors: 0, mine_blanks: 0, mine_late_ms: 0, accept_but_drop: 0, accept_then_hang: 0,
	book_late_ms: 0, answer_late_ms: 0, mine_hasty: false, mine_polls: false, mine_rows_errors: 0, mine_status: 503, complaint: "" }));
after(() => rig?.stop());

/* Before anything is booked, so that the list is empty. */
describe("a list whose page long-polls", { concurrency: false }, () => {
	test("is not believed to be empty, and that is told; the recipe can say what is left open", { timeout: LONG_MS }, async () => {
		await control("/knobs", { mine_polls: true });
		const { id } = await alice.book(wish());

		let lines = [];

		await becomes(async () => {
			lines = await log(id);
			return lines.some((text) => /still fetching https:\/\/desk\.test\/mine\/news, .* in the list's long_polls/.test(text));
		}, 60_000, () => `the list was to be given up: ${lines.join("\n")}`);
		await rig.changeRecipe((desk) => {
			desk.actions.book.list.long_polls = ["https://desk.test/mine/news*"];
		});
		const done = await ended(id);

		assert.equal(done.outcome, "booked", done.reason);
	});
});

describe("a list that has not come is no empty list", { concurrency: false }, () => {
	/* knobs: what the list does; what stands there is then not booked again. */
	async function notTwice(knobs)
	{
		const inputs = await standing();

		await control("/knobs", knobs);
		const { id } = await alice.book(inputs);
		const done = await ended(id);

		assert.equal(await asked(inputs), 0, "it stands there already");
		assert.equal(done.outcome, "already_booked", done.reason);
		return log(id);
	}

	test("an error page", { timeout: LONG_MS }, async () => {
		assert.ok((await notTwice({ mine_errors: 1 })).some((text) => /error page \(HTTP status 503\)|answers? (with )?503/.test(text)));
	});

	test("a page that is missing, which is no outage", { timeout: LONG_MS }, async () => {
		assert.ok((await notTwice({ mine_errors: 1, mine_status: 404 })).some((text) => /an error page \(HTTP status 404\)/.test(text)));
	});

	test("a page without anything on it", { timeout: LONG_MS }, async () => {
		assert.ok((await notTwice({ mine_blanks: 1 })).some((text) => /shows neither .*UITable---row nor .*empty/.test(text)));
	});

	for (const [mine_status, said] of [[401, /https:\/\/desk\.test\/mine\/rows, which the page asked for, answers 401, so that may not be/],
		[503, /Deskwise is not well: https:\/\/desk\.test\/mine\/rows, which the page asked for, answers 503/]])
		test(`a page that shows nothing because its request is answered ${mine_status}`, { timeout: LONG_MS }, async () => {
			const lines = await notTwice({ mine_rows_errors: 1, mine_hasty: true, mine_status });

			assert.ok(lines.some((text) => said.test(text)), lines.join("\n"));
		});

	test("a page that stays bare is an outage, which is waited out beyond the tries there are", { timeout: LONG_MS }, async () => {
		await control("/knobs", { mine_rows_errors: 3 });
		const { id } = await alice.book(wish()), done = await ended(id), lines = await log(id);

		assert.equal(done.outcome, "booked", done.reason);
		assert.deepEqual(lines.map((text) => /(is not well: .*answers 503|is well again)/.exec(text)?.[1].slice(0, 11)).filter(Boolean),
			["is not well", "is well aga"], lines.join("\n"));
	});

	test("rows that the page fetches later", { timeout: LONG_MS }, async () => {
		await notTwice({ mine_late_ms: 1500 });
	});
});

describe("a list that says \"none\" until it has come", { concurrency: false }, () => {
	/* The step waits 4 s for it. */
	for (const [what, mine_late_ms] of [["soon", 1400], ["late", 2900]])
		test(`is not believed while the page fetches it, which comes ${what}`, { timeout: LONG_MS }, async () => {
			const inputs = await standing();

			await control("/knobs", { mine_hasty: true, mine_late_ms });
			assert.equal((await ended((await alice.book(inputs)).id)).outcome, "already_booked");
			assert.equal(await asked(inputs), 0);
		});

	test("is never believed while what it waits for has not come, and that is told", { timeout: LONG_MS }, async () => {
		const inputs = await standing();

		await control("/knobs", { mine_hasty: true, mine_late_ms: 20_000 });
		const { id } = await alice.book(inputs);

		let lines = [];

		await becomes(async () => {
			lines = await log(id);
			return lines.some((text) => /it is still fetching https:\/\/desk\.test\/mine\/rows, which it asked for before/.test(text));
		}, 60_000, () => `the list was to be given up: ${lines.join("\n")}`);
		await control("/knobs", { mine_late_ms: 0 });
		assert.equal((await ended(id)).outcome, "already_booked");
		assert.equal(await asked(inputs), 0);
	});
});

describe("what may have been sent is looked for, and never sent again", { concurrency: false }, () => {
	test("a site that books later than it says", { timeout: LONG_MS }, async () => {
		const inputs = wish();

		await control("/knobs", { book_late_ms: 3500 });
		const { id } = await alice.book(inputs);
		const sent = await alice.bookingIs(id, ["sent"]);

		assert.ok(sent.sent_at_ms > 0);
		const done = await ended(id);

		assert.equal(done.outcome, "booked", done.reason);
		assert.equal(await asked(inputs), 1);
		assert.ok((await log(id)).some((text) => /looked for again in/.test(text)));
	});

	test("botd killed as it is sent, at a site that books later", { timeout: LONG_MS }, async () => {
		const inputs = wish(), { accepted } = (await control("/state")).counts;

		await control("/knobs", { book_late_ms: 2500 });
		const { id } = await alice.book(inputs);

		await reached("accepted", accepted + 1);
		await rig.daemon("botd").kill("SIGKILL");
		await rig.daemon("botd").start();
		assert.equal((await ended(id)).outcome, "booked");
		assert.equal(await asked(inputs), 1);
		assert.ok((await log(id)).some((text) => /may have been sent already, so it is looked for/.test(text)));
	});

	test("not after a lease that was lost, nor with a single try left", { timeout: LONG_MS }, async () => {
		const inputs = wish(), { dropped } = (await control("/state")).counts;

		await control("/knobs", { accept_but_drop: 9 });
		const { id } = await alice.book(inputs);

		await reached("dropped", dropped + 1);
		await rig.postgres.sql(`UPDATE jobs.jobs SET attempt = attempt + 7, lease_until = now(), failures = 0 WHERE id = ${id}`);
		await rig.restart("botd", { tries: 100 });
		const done = await ended(id);

		await rig.restart("botd", { tries: 3 });
		assert.equal(done.outcome, "unconfirmed", done.reason);
		assert.equal(await asked(inputs), 1);
	});
});

/* Waiting for the answer is none of the looking, whether it comes or not, and whoever is killed in between. */
describe("what the site takes to answer is none of the time for looking", { concurrency: false }, () => {
	const answerWithin = (ms) => rig.changeRecipe((desk) => {
		desk.actions.book.answer_ms = ms;
	});

	before(() => answerWithin(40_000));
	after(() => answerWithin(5000));

	for (const [what, knobs, meanwhile] of [
		["of a site that answers after longer than it is looked for, and books later still", { answer_late_ms: 7000, book_late_ms: 11_000 }],
		["botd killed after it has waited longer for the answer than it looks", { answer_late_ms: 9000, book_late_ms: 8000 },
			async () => {
				await control("/knobs", { mine_errors: 1, mine_status: 404 }); /* the first look finds nothing */
				await rig.restart("botd", {}, "SIGKILL");
			}],
		["streamd killed after as long", { answer_late_ms: 30_000, book_late_ms: 10_500 }, () => rig.restart("streamd", {}, "SIGKILL")]])
		test(what, { timeout: LONG_MS }, async () => {
			const inputs = wish(), { accepted } = (await control("/state")).counts;

			await control("/knobs", knobs);
			const { id } = await alice.book(inputs);

			await reached("accepted", accepted + 1);
			if (meanwhile) {
				const sent = (await alice.bookingIs(id, ["sent"])).sent_at_ms;

				await becomes(() => Date.now() > sent + CONFIRM_MS + 500, LONG_MS, "time was to pass");
				await meanwhile();
			}
			const done = await ended(id);

			assert.equal(done.outcome, "booked", `${done.reason}\n${(await log(id)).join("\n")}`);
			assert.equal(await asked(inputs), 1);
			assert.ok((await log(id)).some((text) => /looked for again in/.test(text)));
		});
});

async function unconfirmed(knobs)
{
	const inputs = wish();

	await control("/knobs", knobs);
	const { id } = await alice.book(inputs);

	return { inputs, id, booking: await ended(id) };
}

describe("unconfirmed", { concurrency: false }, () => {
	after(() => confirmFor(CONFIRM_MS));

	test("comes after looks at growing pauses", { timeout: LONG_MS }, async () => {
		await confirmFor(4 * CONFIRM_MS);
		const { id } = await unconfirmed({ accept_but_drop: 1 });
		const pauses = (await log(id)).map((text) => Number(/looked for again in (\d+) s/.exec(text)?.[1])).filter(Boolean);

		assert.ok(pauses.length >= 3 && pauses.at(-1) >= 3, pauses.join());
		assert.deepEqual(pauses, [...pauses].sort((a, b) => a - b));
	});

	test("says what was seen; a look reads the list once more", { timeout: LONG_MS }, async () => {
		await confirmFor(CONFIRM_MS);
		const { inputs, id, booking } = await unconfirmed({ accept_but_drop: 1 });

		assert.equal(booking.outcome, "unconfirmed");
		assert.match(booking.reason, /^It was sent, but is not among your bookings at Deskwise/);
		assert.ok(booking.list_read_at_ms >= booking.sent_at_ms, "when it was read is told");
		assert.ok(booking.finished_at_ms - booking.sent_at_ms >= CONFIRM_MS, "it is looked for as long as the recipe says");
		const { lists } = (await control("/state")).counts;

		assert.equal((await post(id, "look")).state, "sent");
		const again = await ended(id);

		assert.equal(again.outcome, "unconfirmed");
		assert.equal((await control("/state")).counts.lists, lists + 1, "once");
		assert.ok(again.list_read_at_ms > booking.list_read_at_ms);
		assert.equal(await asked(inputs), 1);
	});
});

/* The look that follows the act is the only one. */
describe("unconfirmed, and what comes then", { concurrency: false }, () => {
	before(() => confirmFor(0));
	after(() => confirmFor(CONFIRM_MS));

	test("a list that cannot be read: says so, and a look finds it", { timeout: LONG_MS }, async () => {
		const inputs = wish(), { lists } = (await control("/state")).counts;
		const { id } = await alice.book(inputs);

		await reached("lists", lists + 1); /* read before */
		await control("/knobs", { mine_errors: 99 });
		const booking = await ended(id);

		assert.equal(booking.outcome, "unconfirmed");
		assert.match(booking.reason, /^It (was|may have been) sent, (but your bookings at Deskwise could not be read|and could not be looked for): /);
		assert.match(booking.list_trouble, /Stead could not|Deskwise is not well: .*503/);
		assert.equal(booking.list_read_at_ms, undefined);
		await control("/knobs", { mine_errors: 0 });
		await post(id, "look");
		assert.equal((await ended(id)).outcome, "booked");
		assert.equal(await asked(inputs), 1);
	});

	test("the person says that it happened, or that it did not", { timeout: LONG_MS }, async () => {
		const { id } = await unconfirmed({ accept_but_drop: 1 });
		const yes = await post(id, "settle", { happened: "yes" });

		assert.deepEqual([yes.state, yes.outcome, yes.told], ["done", "booked", true]);
		assert.match(yes.reason, /You said that it did happen/);
		assert.equal((await alice.call("POST", `/bookings/${id}/settle`, { happened: "no" })).status, 409);
		const other = await unconfirmed({ accept_but_drop: 1 });
		const no = await post(other.id, "settle", { happened: "no" });

		assert.deepEqual([no.state, no.outcome, no.told], ["done", "failed", true]);
		await post(other.id, "retry"); /* nothing is in doubt any more */
		assert.equal((await ended(other.id)).outcome, "booked");
		assert.equal(await asked(other.inputs), 2);
	});

	test("is sent again at its person's explicit word only, and looked for first", { timeout: LONG_MS }, async () => {
		const { id, inputs } = await unconfirmed({ accept_but_drop: 1 });
		const refused = await alice.call("POST", `/bookings/${id}/retry`, {});

		assert.equal(refused.status, 409);
		assert.match(refused.body.error.message, /may have been made already.*Look again, or say whether it happened/);
		await post(id, "retry", { twice: true });
		const done = await becomes(async () => {
			const booking = await alice.booking(id);

			return booking.outcome === "booked" && booking;
		}, LONG_MS, "the second try was to be booked");

		assert.equal(done.told, undefined);
		assert.equal(await asked(inputs), 2);
		assert.ok((await log(id)).filter((text) => /^Reading your bookings first/.test(text)).length >= 2);
	});

	test("one that is looked for can be settled or let go meanwhile, and another's cannot", { timeout: LONG_MS }, async () => {
		const { id } = await unconfirmed({ accept_but_drop: 1 });
		const bob = await rig.login("bob");

		for (const [verb, body] of [["look", {}], ["settle", { happened: "yes" }], ["retry", { twice: true }]])
			assert.equal((await bob.call("POST", `/bookings/${id}/${verb}`, body)).status, 404, verb);
		await rig.postgres.sql(`UPDATE jobs.jobs SET state = 'scheduled', outcome = NULL, finished_at = NULL,
			due_at = now() + interval '1 h' WHERE id = ${id}`);
		assert.equal((await alice.booking(id)).state, "sent");
		const let_go = await post(id, "cancel");

		assert.deepEqual([let_go.state, let_go.outcome], ["done", "unconfirmed"]);
		assert.match(let_go.reason, /looked for no more/);
	});

	test("on its page a look comes first, and sending it again last, after a warning; by keyboard", { timeout: LONG_MS }, async () => {
		const { id, inputs } = await unconfirmed({ accept_but_drop: 1 });
		const browser = await openViewer();

		try {
			const person = new Person(await openWindow(browser), rig.url), { page } = person;
			const press = async (name) => {
				await page.getByRole("button", { name, exact: true }).focus();
				await page.keyboard.press("Enter");
			};

			await person.signInToStead({ name: "alice", password: rig.password });
			await page.goto(`${rig.url}/bookings/${id}`);
			await page.getByText("Whether this was booked is not known").waitFor();
			assert.deepEqual((await page.locator("main .card .row.wrap").last().locator("button, a").allInnerTexts())
				.map((text) => text.replace(/\s+in a new\s+tab$/, "").trim()),
			["Look again", "It did happen", "It did not", "Open the site", "Try again …"]);
			await press("Try again …");
			await page.getByText("It may have been booked already, and then it is booked twice").waitFor();
			await page.keyboard.press("Escape");
			await press("It did not");
			await page.getByRole("dialog").waitFor();
			await page.keyboard.press("Tab");
			await page.keyboard.press("Enter");
			await page.getByText("Not booked, as you said").waitFor();
			assert.equal(await asked(inputs), 1);
		} finally {
			await browser.close();
		}
	});

	test("of a botd of before: it can be looked for, too", { timeout: LONG_MS }, async () => {
		const { id } = await unconfirmed({ accept_but_drop: 1 });

		await rig.postgres.sql(`UPDATE jobs.bookings SET intent_at = NULL, look_until = NULL, list_read_at = NULL WHERE id = ${id}`);
		await post(id, "look");
		const done = await ended(id);

		assert.equal(done.outcome, "unconfirmed");
		assert.ok(done.list_read_at_ms > 0);
	});
});

describe("what the recipe makes of a step that finds nothing", { concurrency: false }, () => {
	before(() => rig.changeRecipe((desk) => {
		desk.actions.book.answer_ms = 1000;
		desk.actions.book.steps.at(-1).otherwise = "failed";
	}));

	test("is no word of a site that has not answered: it is looked for all the same", { timeout: LONG_MS }, async () => {
		const inputs = wish();

		await control("/knobs", { book_late_ms: 4500, accept_then_hang: 1 });
		const { id } = await alice.book(inputs);
		const done = await ended(id);

		assert.equal(done.outcome, "booked", done.reason);
		assert.equal(await asked(inputs), 1);
	});

	test("ends it once the site has answered, and then it may be tried again", { timeout: LONG_MS }, async () => {
		const inputs = wish();

		await control("/knobs", { complaint: "already taken" });
		const { id } = await alice.book(inputs);
		const full = await ended(id);

		assert.equal(full.outcome, "full", full.reason);
		assert.equal(full.sent_at_ms, undefined, "nothing is in doubt");
		await control("/knobs", { complaint: "" });
		await post(id, "retry");
		assert.equal((await ended(id)).outcome, "booked");
	});

	test("one that ended so without an answer is not tried again without a warning", { timeout: LONG_MS }, async () => {
		await confirmFor(0);
		const { id, inputs } = await unconfirmed({ accept_but_drop: 1 });

		await rig.postgres.sql(`UPDATE jobs.jobs SET outcome = 'failed' WHERE id = ${id}`); /* as a botd of before did */
		const refused = await alice.call("POST", `/bookings/${id}/retry`, {});

		assert.equal(refused.status, 409);
		assert.match(refused.body.error.message, /may have been made already/);
		assert.equal((await post(id, "look")).state, "sent");
		assert.equal((await ended(id)).outcome, "unconfirmed");
		assert.equal(await asked(inputs), 1);
	});
});

describe("a recipe of before, which does not mark an empty list", { concurrency: false }, () => {
	test("the site stays, its action is off, and everybody is told what to do", { timeout: LONG_MS }, async () => {
		await rig.changeRecipe((desk) => {
			delete desk.actions.book.list.none;
		});
		const { body: { sites } } = await alice.call("GET", "/sites");
		const [action] = sites.find(({ name }) => name === "desk").actions;

		assert.match(action.off, /is off, because the recipe of Deskwise does not say how an empty list/);
		assert.match(action.off_because, /desk\.json:\d+: actions\.book\.list: lacks "none"/);
		const refused = await alice.call("POST", "/bookings", { key: "off", site: "desk", action: "book", inputs: wish() });

		assert.equal(refused.status, 409);
		assert.equal(refused.body.error.code, "off");
		const status = await rig.stack.steadctl("status").catch((error) => error.message); /* there is a problem */

		assert.match(status, /desk\.json:\d+: actions\.book\.list: lacks "none"/);
		assert.equal((await alice.sessions())[0].health, "working");
	});
});
