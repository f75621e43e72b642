/*
 * What Stead's page says when a part of Stead is away, slow or cut off on the way, and where a person is told what is wrong. Each
 * daemon takes its own part of the dashboard along and no other, and everything comes back by itself.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { createServer, request as httpRequest } from "node:http";
import { once } from "node:events";

import { Person } from "../../demo/person.mjs";
import { openViewer, openWindow } from "../../demo/viewer.mjs";
import { startOwnSite } from "./own_site.mjs";
import { day, LIMIT_MS, startRig } from "./rig.mjs";

let rig, alice, browser, person;

async function window(url = rig.url)
{
	return new Person(await openWindow(browser), url);
}

function page()
{
	return person.page;
}

/* As the page has it, without the day of the week. */
function dayWords(date)
{
	return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(date));
}

function says(text, where = page())
{
	return where.getByText(text).first().waitFor();
}

/* What is done while that daemon is away; it comes back in any case. */
async function without(name, work)
{
	await rig.daemon(name).stop();
	try {
		await work();
	} finally {
		await rig.daemon(name).start();
	}
}

async function saysNoMore(text, where = page())
{
	await where.getByText(text).first().waitFor({ state: "detached" });
}

before(async () => {
	rig = await startRig({ widget: false, settings: { authd: { account_failures: 3 }, botd: { lease_ms: 3000 } } });
	alice = await rig.login("alice");
	await alice.savedSignIn();
	const asked = [await alice.book({ date: day(6), desk: "D-201" }), await alice.book({ date: day(2), desk: "D-202" })];

	for (const { id } of asked) /* by one browser, one after another */
		await alice.bookingIs(id, ["done"]);
	browser = await openViewer();
	person = await window();
	await person.signInToStead({ name: "alice", password: rig.password });
});
after(async () => {
	await browser?.close();
	await rig?.stop();
});

describe("the dashboard", { concurrency: false }, () => {
	const account = () => rig.account("alice").email;

	afterEach(() => person.dashboard());

	it("has bookings by the day that they are for", { timeout: LIMIT_MS }, async () => {
		await says(/D-202/);
		assert.deepEqual((await page().locator(".booking .what").allInnerTexts()).map((text) => /D-\d+/.exec(text)[0]),
			["D-202", "D-201"]);
		assert.deepEqual((await page().locator("#bookings-h ~ h3").allInnerTexts()).map((text) => Number(/\d+/.exec(text)[0])),
			[day(2), day(6)].map((one) => Number(one.slice(8))));
	});

	it("shows what needs its person first, then what comes, then what is over, and finds any of it", { timeout: LIMIT_MS }, async () => {
		const titles = async () => (await page().locator(".booking .what").allInnerTexts()).map((text) => /D-\d+/.exec(text)[0]);
		const past = Array.from({ length: 7 }, (_, i) => [`D-90${i}`, day(-1 - i), "booked", "It stands there."]);
		const rows = [...past, ["D-910", day(3), "unconfirmed", "It is not known."], ["D-911", day(2), "full", "It is taken."]];
		const { ids } = JSON.parse(await rig.postgres.sql(`WITH v AS (SELECT * FROM
			(VALUES ${rows.map((row) => `('${row.join("', '")}')`).join(", ")}) v(desk, day, outcome, reason)),
			j AS (INSERT INTO jobs.jobs (user_id, kind, queue, lane, key, state, outcome, reason, finished_at)
			SELECT user_id, 'booking', 'desk', 'desk', 'made-' || v.desk, 'done', v.outcome, v.reason, now()
			FROM (SELECT user_id FROM jobs.bookings LIMIT 1) u, v RETURNING id, user_id, key),
			b AS (INSERT INTO jobs.bookings (id, user_id, site, action, title, inputs) SELECT j.id, j.user_id, 'desk', 'book',
			'Desk ' || v.desk, json_build_object('date', v.day, 'desk', v.desk) FROM j JOIN v ON j.key = 'made-' || v.desk RETURNING id)
			SELECT json_build_object('ids', json_agg(id)) FROM b`));

		try {
			await page().reload();
			await page().getByText("A booking needs you:").getByRole("link", { name: "Desk D-910" }).waitFor();
			assert.deepEqual((await page().locator("#bookings-h ~ h3").allInnerTexts()).map((text) => text.replace(/^\w+, /, "")),
				["Needs you", ...[2, 6].map((n) => dayWords(day(n))), "Past"]);
			assert.deepEqual(await titles(), ["D-910", "D-911", "D-202", "D-201", "D-900", "D-901", "D-902", "D-903", "D-904"]);
			await says("It is taken."); /* and what went well says no more than that */
			assert.equal(await page().getByText("It stands there.").count(), 0);
			await page().getByRole("link", { name: "Find out about Desk D-910" }).waitFor();
			await page().getByRole("button", { name: "Show all 7 past bookings" }).click();
			await page().getByText("Desk D-906").waitFor();
			await page().getByRole("searchbox", { name: "Find" }).fill("deskwise D-90");
			assert.deepEqual(await titles(), past.map(([desk]) => desk));
			await page().getByRole("searchbox", { name: "Find" }).fill("nobody's");
			await says("No booking here has that in it.");
			await page().setViewportSize({ width: 390, height: 844 });
			const { height } = await page().getByText("Find", { exact: true }).boundingBox();

			assert.ok(height < 50, `its label is ${height} px high`);
			await page().goto(`${rig.url}/bookings/${Math.max(...ids)}`);
			await person.bookingIs("Full");
			assert.deepEqual(await page().locator("main .card .row.wrap").last().locator("button, a").allInnerTexts(),
				["Choose another", "Try again"]);
		} finally {
			await page().setViewportSize({ width: 1280, height: 860 });
			await rig.postgres.sql(`DELETE FROM jobs.jobs WHERE id IN (${ids.join(", ")})`);
		}
	});

	it("shows what a choice is called, and asks for what the site needs", { timeout: LIMIT_MS }, async () => {
		const building = page().getByLabel("Building");

		await page().goto(rig.url);
		await person.card("Deskwise").getByRole("link", { name: "Book a desk" }).click();
		await building.waitFor();
		assert.deepEqual(await building.locator("option").allInnerTexts(), ["North House", "Canal Yard"]);
		await building.selectOption({ label: "Canal Yard" });
		assert.equal(await building.inputValue(), "2");
		await page().goto(rig.url);
	});

	it("without botd keeps its sessions, says what is away, and has it again by itself", { timeout: LIMIT_MS }, async () => {
		const away = /^The part of Stead that books is away; your bookings are safe; it is tried again by itself/;

		await says(account());
		await without("botd", async () => {
			await says(away);
			await says(/What is shown here is from \d\d:\d\d:\d\d\./);
			await says(/^For administrators: botd is not running .* systemctl status stead-botd$/);
			await page().locator(".booking").nth(1).waitFor(); /* what was last known */
			await page().reload();
			await says(away);
			await says(account()); /* whose session is kept is not botd's to know */
		});
		await saysNoMore(away);
		await page().locator(".booking").first().waitFor();
		await person.card("Deskwise").getByRole("link", { name: "Book a desk" }).waitFor();
	});

	it("without sessiond keeps its bookings", { timeout: LIMIT_MS }, async () => {
		const away = /^Stead's vault is away; your sessions are safe; it is tried again by itself/;

		await without("sessiond", async () => {
			await page().reload();
			await says(away);
			await says("Whether you are signed in is not known just now.");
			await page().locator(".booking").nth(1).waitFor();
		});
		await saysNoMore(away);
		await says(account());
	});

	it("without streamd keeps both", { timeout: LIMIT_MS }, async () => {
		const away = /^The part of Stead that shows sign-ins is away; it is tried again by itself/;

		await without("streamd", async () => {
			await page().reload();
			await says(away);
			await says(account());
			await page().locator(".booking").nth(1).waitFor();
		});
		await saysNoMore(away);
	});

	it("without authd says it once, and a page that is opened then comes by itself", { timeout: LIMIT_MS }, async () => {
		const away = /^A part of Stead is not running or does not answer/;

		await says(account());
		await without("authd", async () => {
			await says(away);
			assert.equal(await page().getByText(away).count(), 1);
			await page().reload();
			await person.heading("Stead cannot be reached").waitFor();
			await says("It is tried again by itself");
		});
		await says(account());
	});

	it("says that it waits for who is slow, and shows the rest meanwhile", { timeout: LIMIT_MS }, async () => {
		process.kill(rig.daemon("botd").pid, "SIGSTOP");
		try {
			await page().reload();
			await says(account());
			await says(/^Stead is slow to answer; it is waited for/);
		} finally {
			process.kill(rig.daemon("botd").pid, "SIGCONT");
		}
		await page().locator(".booking").first().waitFor();
	});
});

/* As a proxy in front of Stead that nobody has told of WebSockets: a hop's own headers go no further (RFC 9110, section 7.6.1). */
async function proxyWithoutUpgrade()
{
	const { host, origin } = new URL(rig.url);
	const pass = (request, response) => {
		const headers = { ...request.headers, host, ...(request.headers.origin && { origin }) };

		for (const name of ["connection", "upgrade"])
			delete headers[name];
		request.pipe(httpRequest(rig.url, { path: request.url, method: request.method, headers, agent: false }, (answer) => {
			response.writeHead(answer.statusCode, answer.headers);
			answer.pipe(response);
		}));
	};
	const server = createServer(pass);

	server.on("upgrade", (request, socket) => {
		const { pathname } = new URL(request.url, rig.url);

		httpRequest(rig.url, { path: pathname, headers: { host, cookie: request.headers.cookie }, agent: false }, (answer) => {
			socket.end(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
			answer.resume();
		}).end();
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	return server;
}

describe("a WebSocket that never opens", { concurrency: false }, () => {
	it("is told with both causes, and what to do about each", { timeout: LIMIT_MS }, async () => {
		const proxy = await proxyWithoutUpgrade();
		const url = `http://127.0.0.1:${proxy.address().port}`;
		const cut = await window(url);

		try {
			const { id } = await alice.open();

			await cut.signInToStead({ name: "alice", password: rig.password });
			await cut.page.goto(`${url}/streams/${id}`);
			await says(/its live connection \(a WebSocket\) does not open/, cut.page);
			const detail = await cut.page.locator(".over .detail").innerText();

			for (const part of [`origin = ${url}`, "stead.conf", "Upgrade", "proxy_set_header"])
				assert.ok(detail.includes(part), `${part}: ${detail}`);
			assert.equal(await cut.page.locator(".veil").count(), 0); /* nothing is said to be coming */
			await cut.page.goto(`${url}/bookings/1`); /* has ended, so nothing more is awaited than its log */
			await says(/^Complete, \d{2} lines\.$/, cut.page);
		} finally {
			await cut.page.context().close();
			proxy.closeAllConnections();
			proxy.close();
			await alice.closeAll();
		}
	});

	it("is not told when it is streamd that is away", { timeout: LIMIT_MS }, async () => {
		await page().goto(`${rig.url}/bookings/1`);
		await page().getByRole("log").waitFor();
		await without("streamd", async () => {
			await page().reload();
			/* Five times is more often than it takes to call it blocked. */
			for (let times = 0; times < 5; times++)
				await page().waitForRequest((request) => request.url().endsWith("/api/v1/bookings/1"));
			assert.equal(await page().getByText(/does not open/).count(), 0);
		});
	});
});

describe("a sign-in that has ended", { concurrency: false }, () => {
	for (const signal of ["SIGTERM", "SIGKILL"])
		it(`still says how, after streamd was ended by ${signal} and started again`, { timeout: LIMIT_MS }, () => restarted(signal));

	async function restarted(signal)
	{
		const bob = await rig.login("bob");

		await rig.sites.control("/knobs", { revoke_on_load: 2 });
		const signIn = await bob.open();

		await signIn.atSite();
		await signIn.reaches("failed");
		await rig.sites.control("/knobs", { revoke_on_load: 0 });
		const other = await window();

		await other.signInToStead({ name: "bob", password: rig.password });
		await other.page.goto(`${rig.url}/streams/${signIn.id}`);
		const reason = await other.notSaved();

		await rig.daemon("streamd").stop(signal);
		await rig.daemon("streamd").start();
		await says(/[Ii]ts browser (is gone|has ended since)/, other.page);
		assert.equal(await other.page.locator(".veil").count(), 1);
		assert.equal(await other.notSaved(), reason);
		await other.page.getByRole("link", { name: "Start again" }).waitFor();
		await other.page.context().close();
	}
});

describe("a booking under way", { concurrency: false }, () => {
	it("says how far it is, and why it was begun again", { timeout: 2 * LIMIT_MS }, async () => {
		await rig.sites.control("/knobs", { slow_ms: 1500 });
		const { id } = await alice.book({ date: day(9), desk: "D-204" });

		await page().goto(`${rig.url}/bookings/${id}`);
		await page().getByRole("progressbar", { name: /^Step \d+ of \d+$/ }).waitFor();
		await says(/Under way: step \d+ of \d+/);
		await rig.daemon("botd").stop("SIGKILL");
		await rig.daemon("botd").start();
		await says("Begun again: A part of Stead stopped in the middle of it.");
		await rig.sites.control("/knobs", { slow_ms: 0 });
		await person.bookingIs("Booked");
		const lines = await person.logLines();

		assert.ok(lines.includes("Warning: A part of Stead stopped in the middle of it; starting over."), lines.join(" / "));
	});
});

describe("the database", { concurrency: false }, () => {
	it("is lost under a booking: the page says so at once, the log afterwards", { timeout: 2 * LIMIT_MS }, async () => {
		const lost = /^Stead's database was lost\. This goes on(, or over again,)? when it is back\.$/;

		await rig.sites.control("/knobs", { slow_ms: 1500 });
		const { id } = await alice.book({ date: day(8), desk: "D-203" });

		await page().goto(`${rig.url}/bookings/${id}`);
		await person.bookingIs("Under way");
		await page().getByRole("log").locator("li").first().waitFor();
		await rig.postgres.stop();
		await says(lost);
		await rig.sites.control("/knobs", { slow_ms: 0 });
		await rig.postgres.start();
		await saysNoMore(lost);
		await person.bookingIs("Booked");
		const lines = await person.logLines();

		/* What waited for the database no longer than it was away went on. */
		if (lines.filter((line) => line.startsWith("Opening a browser")).length > 1)
			assert.ok(lines.includes("Warning: The database was lost, and is back; starting over."), lines.join(" / "));
		assert.equal((await rig.booked()).filter(({ desk }) => desk === "D-203").length, 1);
	});
});

describe("what a person is told", { concurrency: false }, () => {
	it("of a password that is wrong, at the fields that it is about", { timeout: LIMIT_MS }, async () => {
		const other = await window();

		await other.page.goto(rig.url);
		const name = other.page.getByLabel("Name"), password = other.page.getByLabel("Password");

		await name.fill("  ");
		await password.fill("x");
		await other.page.getByRole("button", { name: "Sign in" }).click();
		await says("Type your name.", other.page);
		assert.equal(await name.getAttribute("aria-invalid"), "true");
		await name.fill("mallory");
		await password.fill("wrong");
		await other.page.getByRole("button", { name: "Sign in" }).click();
		await says("The name or the password is not right.", other.page);
		for (const field of [name, password]) {
			const described = await field.getAttribute("aria-describedby");

			assert.equal(await other.page.locator(`[id="${described}"]`).innerText(), "The name or the password is not right.");
			assert.equal(await field.getAttribute("aria-invalid"), "true");
		}
		assert.equal(await password.evaluate((field) => field === document.activeElement), true);
		for (let times = 0; times < 3; times++) {
			await password.fill("wrong");
			await password.press("Enter");
			await other.page.getByRole("button", { name: "Sign in", exact: true, disabled: false }).waitFor();
		}
		await says(/^Too many sign-ins have failed; try again in \d+ (minutes|seconds)\.$/, other.page);
		await other.page.context().close();
	});

	it("of a booking that there is not: where the others are", { timeout: LIMIT_MS }, async () => {
		await page().goto(`${rig.url}/bookings/4711`);
		await says("There is no booking 4711, or it is not yours.");
		await page().getByRole("link", { name: "All your bookings" }).click();
		await person.heading("Dashboard").waitFor();
	});

	it("a page's question comes with its own answer, to be typed over", { timeout: LIMIT_MS }, async () => {
		const site = await startOwnSite(rig, "prompts.test", { prompts: "/" }, (request, response) => {
			response.setHeader("Content-Type", "text/html")
				.end("<!doctype html><title>prompts</title><script>setTimeout(() => prompt(\"Where to?\", \"here\"))</script>");
		});
		const signIn = await alice.open({ site: "prompts" });

		try {
			await page().goto(`${rig.url}/streams/${signIn.id}`);
			const field = page().getByLabel("Your answer");

			await field.waitFor();
			assert.deepEqual(await field.evaluate(({ value, selectionStart, selectionEnd }) =>
				[value, selectionStart, selectionEnd]), ["here", 0, 4]);
		} finally {
			site.stop();
			await alice.closeAll();
		}
	});
});
