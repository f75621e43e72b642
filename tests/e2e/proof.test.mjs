/*
 * Sign-ins that a fresh browser does not take: a token that came too late, what lives in a page's memory, a key that no other
 * browser can be given; and what the person reads then.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";

import { Person } from "../../demo/person.mjs";
import { openViewer, openWindow } from "../../demo/viewer.mjs";
import { startOwnSite } from "./own_site.mjs";
import { becomes, LIMIT_MS, startRig } from "./rig.mjs";

const ACCOUNT = "alice@proofs.test";
const IN = `<!doctype html><title>in</title><p id=who>${ACCOUNT}</p>`;
const page = (script) => `<!doctype html><title>page</title><script>${script}</script>`;

/* Whose it is the page is told, and tells nobody. */
const QUIET = `<!doctype html><title>in</title><a id=out href=/out>Log out</a><script>fetch("/me")</script>`;

/* A token that the page gets once the site is ready to give one, as a silent sign-on does. */
const LATE = page(`const ask = () => fetch("/token").then((r) => r.ok || Promise.reject()).catch(() => setTimeout(ask, 200)); ask()`);
const MEMORY = `${IN}<script>/* whose it is stands in this page alone */</script>`;
const KEYS = `const asked = (r) => new Promise((y, n) => { r.onsuccess = () => y(r.result); r.onerror = () => n(r.error); });
const opened = async () => { const r = indexedDB.open("keys", 1);
	r.onupgradeneeded = () => r.result.createObjectStore("s");
	return (await asked(r)).transaction("s", "readwrite").objectStore("s"); };`;
const MAKES_KEY = `${IN}<script>${KEYS}(async () => { const key = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" },
	false, ["sign"]); await asked((await opened()).put(key, "k")); })()</script>`;
const WANTS_KEY = page(`${KEYS}(async () => { if (await asked((await opened()).get("k")))
	document.body.innerHTML = "<p id=who>${ACCOUNT}</p>"; else location.href = "/out"; })()`);

/* What is never come to: without a session a booking waits. */
const BOOK = { title: "Book", describe: "It", list: { steps: [{ step: "open", url: "https://proofs.test/list" },
	{ step: "read", at: { css: "li" }, all: true, cells: [{ name: "it" }] }], none: { css: "i" }, match: [{ cell: "it", is: "it" }] },
	steps: [{ step: "open", url: "https://proofs.test/book" }, { step: "click", at: { css: "button" }, act: true }] };

let rig, alice, site;
let proofs, keyed; /* looks at /who with a session; whether it takes a key from now on */
let gate = null; /* what the site waits for before it says whose session it is */

const cookies = (request) => Object.fromEntries((request.headers.cookie ?? "").split("; ").map((c) => c.split("=")));

function lead(response, to, cookie)
{
	if (cookie)
		response.appendHeader("Set-Cookie", `${cookie}; Secure; Path=/`);
	response.writeHead(302, { Location: to }).end();
}

/* Whose session it is, if it is anybody's. */
async function who({ kind, token }, response)
{
	proofs += kind !== undefined;
	if (kind !== undefined)
		await gate;
	if (kind === "late" && !token || kind === undefined)
		return lead(response, "/out");
	if (["memory", "basic"].includes(kind))
		return response.end(page(`location.href = "/out"`));
	return response.end(kind === "quiet" ? QUIET : kind === "key" && keyed ? WANTS_KEY : IN);
}

function respond(request, response)
{
	const jar = cookies(request), path = request.url;

	response.setHeader("Content-Type", "text/html");
	if (path === "/quick")
		response.setHeader("Set-Cookie", "quick=1; Max-Age=10; Secure; Path=/");
	if (path === "/basic" && request.headers.authorization !== `Basic ${btoa("alice:secret")}`)
		return response.writeHead(401, { "WWW-Authenticate": 'Basic realm="back room"' }).end("<title>nobody</title>");
	if (path === "/me")
		return jar.kind === undefined ? response.writeHead(401).end() : response.end(JSON.stringify({ mail: ACCOUNT }));
	if (["/late", "/memory", "/key", "/quick", "/basic", "/quiet"].includes(path))
		return lead(response, "/signed-in", `kind=${path.slice(1)}`);
	if (path === "/who")
		return who(jar, response);
	if (path === "/token") /* not before the site has said no, twice */
		return proofs < 2 ? response.writeHead(403).end() : response.setHeader("Set-Cookie", "token=1; Secure; Path=/").end("{}");
	if (path === "/signed-in")
		return response.end({ late: LATE, memory: MEMORY, key: MAKES_KEY, quick: IN, basic: IN, quiet: QUIET }[jar.kind]);
	return path === "/out" ? response.end("<title>out</title>") : response.writeHead(404).end("<title>nothing</title>");
}

/* Two that show nobody's name. */
function change(name, recipe)
{
	recipe.actions = { book: BOOK };
	if (name === "told")
		recipe.probe.in = { account: { answer: "https://proofs.test/me", pointer: "/mail" } };
	if (name === "nameless")
		recipe.probe.in = { at: { css: "#out" }, account: { is: "the team" } };
}

before(async () => {
	rig = await startRig();
	alice = await rig.login("alice");
	site = await startOwnSite(rig, "proofs.test", { late: "/late", memory: "/memory", key: "/key", quick: "/quick", basic: "/basic", away: "/away", told: "/quiet", nameless: "/quiet" }, respond,
		{ change });
	await rig.restart("botd");
});
after(async () => {
	await rig?.stop();
	site?.stop();
});

/* Its person's sign-in, and does not fail. */
async function bookingWaits(key)
{
	const { booking: { id } } = await alice.must("POST", "/bookings", { key, site: "key", action: "book", inputs: {} });

	await alice.bookingIs(id, ["needs_sign_in", "done"], LIMIT_MS);
	assert.equal((await alice.booking(id)).state, "needs_sign_in");
	await alice.must("POST", `/bookings/${id}/cancel`, {});
}

describe("what a fresh browser does not take", { concurrency: false }, () => {
	afterEach(() => alice.closeAll());

	it("a token that comes once the proof has said no: it is tried once more, and nobody is asked", { timeout: LIMIT_MS }, async () => {
		proofs = 0;
		const signIn = await alice.open({ site: "late" });

		await signIn.reaches("saved", "failed");
		await signIn.reaches("saved");
		assert.ok(!signIn.steps.includes("failed"), signIn.steps.join());
		assert.equal(signIn.account, ACCOUNT);
		assert.equal(signIn.steps.filter((step) => step === "proving").length, 2);
	});

	it("what lives in the page's memory: it is said, and what would help", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.open({ site: "memory" });

		await signIn.reaches("failed");
		assert.match(signIn.reason, /in another tab .* nobody is signed in either.*memory/i);
		assert.match(signIn.advice, /stay signed in/);
		assert.equal(signIn.resumable, true);
	});

	/* What is kept was taken into another browser before. */
	it("a key that cannot leave the browser: who is kept reads why on the card, and what needs them waits", { timeout: LIMIT_MS }, async () => {
		keyed = false;
		await (await alice.open({ site: "key" })).reaches("saved");
		await rig.postgres.sql("UPDATE vault.sessions SET health = 'needs_sign_in', reason = 'It has ended.' WHERE site = 'key'");
		keyed = true;
		const signIn = await alice.open({ site: "key" });

		await signIn.reaches("failed");
		assert.match(signIn.reason, /https:\/\/proofs\.test keeps a key that cannot leave the browser/);
		assert.match(signIn.advice, /would end the same way/);
		const kept = (await alice.sessions()).find(({ site: of }) => of === "key");

		assert.equal(kept.health, "not_portable");
		assert.match(kept.reason, /^It has ended, and the last sign-in could not be kept\. .*a key that cannot leave the browser/);
		await bookingWaits("waits");
	});

	it("a session of before is called not portable: bookings wait for it as well", { timeout: LIMIT_MS }, async () => {
		keyed = false;
		await (await alice.open({ site: "key" })).reaches("saved");
		await rig.postgres.sql("UPDATE vault.sessions SET health = 'not_portable', reason = 'A key.' WHERE site = 'key'");
		await bookingWaits("old");
	});

	it("a password of HTTP, which browsers keep in memory: it is said", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.open({ site: "basic" });

		await signIn.until(() => signIn.dialog, "a dialog");
		signIn.say("dialog_answer", { dialog: signIn.dialog.dialog, accept: true, name: "alice", text: "secret" });
		await signIn.reaches("failed");
		assert.match(signIn.reason, /A host was given a name and a password by HTTP authentication, .* in memory alone/);
	});

	it("a cookie that lives for ten seconds: the verdict that it is saved says so", { timeout: LIMIT_MS }, async () => {
		const browser = await openViewer();

		try {
			const person = new Person(await openWindow(browser), rig.url), { page } = person;

			await person.signInToStead({ name: "alice", password: rig.password });
			await page.goto(`${rig.url}/sites/quick/sign-in`);
			await page.getByRole("heading", { name: "Saved", exact: true }).waitFor();
			await page.getByText(/^The site's cookie quick lives for \d+ s only, so that it may have ended/).waitFor();
		} finally {
			await browser.close();
		}
	});

	/* The account is in what the page is answered, or nowhere, and then that is said. */
	it("whose it is the site does not show", { timeout: 2 * LIMIT_MS }, async () => {
		const told = await alice.open({ site: "told" });

		await told.reaches("saved", "failed");
		assert.equal(told.account, "alice@proofs.test", told.reason);
		const nameless = await alice.open({ site: "nameless" });

		await nameless.reaches("saved", "failed");
		assert.equal(nameless.account, "the team", nameless.reason);
		assert.match(nameless.reason, /The site does not say whose account it is, so Stead cannot tell/);
	});

	it("a sign-in page that is not there", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.open({ site: "away" });

		const { text, reload } = await signIn.noted(/./);

		assert.equal(signIn.step, "waiting");
		assert.equal(text, "https://proofs.test/away answers 404 (there is no such page); the recipe's sign_in.url may be old.");
		assert.equal(reload, true);
	});

	it("one that failed makes room for another, and says so", { timeout: LIMIT_MS }, async () => {
		const failed = await alice.open({ site: "memory" });

		await failed.reaches("failed");
		const second = await alice.open({ site: "away" }), third = await alice.open({ site: "away" });

		await failed.until(() => failed.step === "closed", "\"closed\"");
		assert.match(failed.reason, /has made room for another sign-in/);
		const { status, body } = await alice.call("POST", "/streams", { site: "away" }); /* those that go on are not ended */

		assert.equal(status, 503, JSON.stringify(body));
		await Promise.all([second, third].map((one) => one.reaches("waiting")));
	});

	it("the database is away while it is proved: the person has done their part", { timeout: LIMIT_MS }, async () => {
		let open;

		keyed = false;
		proofs = 0;
		gate = new Promise((done) => { open = done; });
		const signIn = await alice.open({ site: "key" });

		await becomes(() => proofs > 0, LIMIT_MS, "the site was not asked");
		await rig.postgres.kill();
		open();
		await signIn.until(() => signIn.reason === "Proved; waiting for the database to save it.", "\"Proved\"");
		assert.equal(signIn.step, "proving");
		await rig.postgres.start();
		await signIn.reaches("saved");
	});
});
