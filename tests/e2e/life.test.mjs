/*
 * The life of a sign-in: seen again after a reload, seen twice, with dialogs to answer, ended by time, by its owner and by
 * a logout. What the site does meanwhile is in site.test.mjs.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Person } from "../../demo/person.mjs";
import { openViewer, openWindow } from "../../demo/viewer.mjs";
import { startOwnSite } from "./own_site.mjs";
import { becomes, LIMIT_MS, SignIn, startRig } from "./rig.mjs";

let rig, alice;

async function timedOut(signIn, reason)
{
	const shown = await becomes(async () => {
		const one = await signIn.show();

		return one.step === "timed_out" ? one : null;
	}, LIMIT_MS, () => `it did not time out; it said ${signIn.describe()}`);

	assert.match(shown.reason, reason);
	assert.match(shown.advice, /Start the sign-in again/);
	await rig.nothingLeft();
}

before(async () => {
	rig = await startRig();
	alice = await rig.login("alice");
});
after(() => rig?.stop());

describe("being seen", { concurrency: false }, () => {
	afterEach(() => alice.closeAll());

	it("a reload comes back to the same browser, in the middle of what was done", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.openAtSso();
		const [{ pid }] = rig.browsers();
		const { size } = signIn;

		await signIn.passwordTyped();
		await signIn.disconnect();
		const { frames, page: { url } } = signIn;

		signIn.page = { url: "" };
		signIn.again();
		await signIn.connect();
		await signIn.until(() => signIn.frames > frames, "a picture after the reload");
		assert.equal(signIn.page.url, url);
		assert.equal(signIn.step, "waiting");
		assert.deepEqual(signIn.size, size);
		assert.equal(rig.browsers().length, 1);
		assert.equal(rig.browsers()[0].pid, pid);
		await signIn.codeTyped();
		await signIn.reaches("saved");
	});

	it("two viewers see the same, and either may type", { timeout: LIMIT_MS }, async () => {
		const one = await alice.openAtSso();
		const two = await new SignIn(alice, one.id).connect();

		await two.until(() => two.frames > 0 && two.page.url === one.page.url, "the same page");
		await one.passwordTyped();
		await two.painted();
		await two.codeTyped();
		await Promise.all([one.reaches("saved"), two.reaches("saved")]);
		await Promise.all([one, two].map((viewer) => viewer.until(() => viewer.closed !== null, "the end")));
		assert.deepEqual([one.closed, two.closed], [4410, 4410]);
	});

	it("the person closes it: its browser is gone when that is answered", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.openAtSso();

		await signIn.close();
		assert.deepEqual(rig.browsers(), []);
		await signIn.until(() => signIn.step === "closed", "\"closed\"");
		assert.equal(signIn.reason, "You closed it.");
		assert.equal((await signIn.show()).step, "closed");
		await rig.nothingLeft();
	});

	it("\"Check now\" pressed too early says on the page what is missing", { timeout: LIMIT_MS }, async () => {
		const browser = await openViewer();

		try {
			const person = new Person(await openWindow(browser), rig.url);

			await person.signInToStead({ name: "alice", password: rig.password });
			await person.openSignIn(person.card("Deskwise").getByRole("link", { name: /^Sign in/ }));
			await person.page.getByRole("button", { name: "I'm signed in: check now" }).click();
			const note = person.page.locator(".note").filter({ hasText: /press "Check now" again/ });

			await note.getByRole("button", { name: "Close this message" }).click();
			await note.waitFor({ state: "detached" });
		} finally {
			await browser.close();
		}
	});

	it("Chromium's own shortcuts open nothing: no bookmarks, no source, no new tab", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.openAtSso();
		const { url } = signIn.page;

		for (const [key, modifiers] of [["O", 10], ["u", 2], ["t", 2], ["h", 2], ["j", 2], ["Delete", 10], ["F12", 0]]) {
			const vk = key === "Delete" ? 46 : key === "F12" ? 123 : key.toUpperCase().charCodeAt(0);
			const stroke = { key, code: key.length === 1 ? `Key${key.toUpperCase()}` : key, vk, modifiers };

			signIn.say("key_event", { type: "down", ...stroke });
			signIn.say("key_event", { type: "up", ...stroke });
		}
		await signIn.painted();
		assert.equal(signIn.page.url, url);
		/* What is typed now goes to the site: nothing has come before it. */
		await signIn.passwordTyped();
		await signIn.codeTyped();
		await signIn.reaches("saved");
	});

	it("the operator closes it with steadctl", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.openAtSso();

		await rig.stack.steadctl("stream", "close", signIn.id);
		assert.equal((await signIn.show()).reason, "The administrator closed it.");
		await rig.nothingLeft();
	});

	it("a logout closes the WebSocket at once; the same person is told what became of it", { timeout: LIMIT_MS }, async () => {
		const carol = await rig.login("carol");
		const signIn = await carol.openAtSso();

		await carol.must("POST", "/logout", {});
		await signIn.until(() => signIn.closed !== null, "the end of the WebSocket");
		assert.equal(signIn.closed, 4401);
		await assert.rejects(signIn.connect());
		assert.equal((await carol.call("GET", `/streams/${signIn.id}`)).status, 401);
		await carol.login();
		const { step, reason } = await signIn.show();
		assert.deepEqual([step, reason], ["closed", "You were signed out of Stead."]);
		await rig.nothingLeft();
	});
});

/* A site whose page asks in dialogs, and goes where the answers say; another of its pages asks in two windows at once. */
const ASKING = `<!doctype html><title>asks</title><button autofocus>Ask</button><script>
	document.querySelector("button").onclick = () => {
		alert("Look");
		location = confirm("Go on?") ? "/" + prompt("Where to?", "here") : "/no";
	};
</script>`;
const ASKING_TWICE = `<!doctype html><title>asks twice</title><button autofocus>Ask</button><script>
	document.querySelector("button").onclick = () => {
		open("/window", "_blank", "noopener");
		setTimeout(() => alert("The first"));
	};
</script>`;
const ANSWERS = { "/": ASKING, "/twice": ASKING_TWICE,
	"/window": "<!doctype html><title>window</title><script>setTimeout(() => alert(\"The second\"))</script>" };

describe("a page that asks in dialogs", { concurrency: false }, () => {
	let site, signIn;

	before(async () => {
		site = await startOwnSite(rig, "asks.test", { asks: "/", twice: "/twice" }, (request, response) => {
			response.setHeader("Content-Type", "text/html").end(ANSWERS[request.url] ?? "<title>there</title>");
		});
		signIn = await asked("asks");
	});
	after(async () => {
		await alice.closeAll();
		site?.stop();
	});

	const asked = async (site) => {
		const opened = await alice.open({ site });

		await opened.reaches("waiting");
		await opened.pageIs(/^https:\/\/asks\.test\/(twice)?$/);
		return opened;
	};
	const dialog = async (kind) => {
		await signIn.until(() => signIn.dialog?.kind === kind, `a dialog of the kind ${kind}`);
		return signIn.dialog;
	};
	const answer = (fields) => signIn.say("dialog_answer", { dialog: signIn.dialog.dialog, ...fields });

	it("each is shown, also after a reload, and answered", { timeout: LIMIT_MS }, async () => {
		signIn.press("Enter", 13, "\r");
		assert.equal((await dialog("alert")).message, "Look");
		signIn.say("sign_in_done"); /* a page that stands still says nothing of a sign-in */
		await signIn.disconnect();
		signIn.dialog = null;
		await signIn.connect();
		assert.equal((await dialog("alert")).message, "Look");
		answer({ accept: true });
		assert.equal((await dialog("confirm")).message, "Go on?");
		answer({ accept: true });
		assert.equal((await dialog("prompt")).value, "here");
		answer({ accept: true, text: "there" });
		await signIn.pageIs(/^https:\/\/asks\.test\/there$/);
		assert.equal(signIn.step, "waiting");
	});

	it("two windows ask at once: one after the other", { timeout: LIMIT_MS }, async () => {
		const said = [];

		await alice.closeAll();
		signIn = await asked("twice");
		signIn.press("Enter", 13, "\r");
		await signIn.until(() => signIn.page.url.endsWith("/window") && signIn.dialog, "the window and a dialog");
		for (const next of [() => signIn.dialog, () => !signIn.dialog]) {
			said.push(signIn.dialog.message);
			assert.match(signIn.dialog.url, /^https:\/\/asks\.test\/(twice|window)$/);
			answer({ accept: true });
			signIn.dialog = null;
			await signIn.until(next, "the next dialog, or none");
		}
		assert.deepEqual(said.sort(), ["The first", "The second"]);
		await signIn.painted(); /* neither page stands still any more */
	});

	it("it is closed with a dialog open", { timeout: LIMIT_MS }, async () => {
		await alice.closeAll();
		signIn = await asked("asks");
		for (const type of ["press", "release"])
			signIn.say("mouse_event", { type, x: 20, y: 18, button: "left", clicks: 1 });
		await dialog("alert");
		await signIn.close();
		await rig.nothingLeft();
	});
});

describe("an end while the session is being saved", { concurrency: false }, () => {
	afterEach(() => alice.closeAll());

	/* It waits for its row in the vault, which unlock() gives free. */
	async function saving()
	{
		const unlock = await rig.locked("vault.sessions");
		const signIn = await alice.openAtSso();

		await signIn.passwordTyped();
		await signIn.codeTyped();
		await rig.waitsForLock("stead_sessiond");
		return { signIn, unlock };
	}

	it("and the vault is silent: it is not said that nothing was saved", { timeout: LIMIT_MS }, async () => {
		const { signIn, unlock } = await saving();

		try {
			await signIn.close();
			const { step, reason, advice } = await signIn.show();

			assert.equal(step, "closed");
			assert.equal(reason, "You closed it.");
			assert.match(advice, /^It is not known whether the session was saved: look on the dashboard/);
		} finally {
			await unlock();
		}
	});

	it("and it is saved in that moment: that is what is said", { timeout: LIMIT_MS }, async () => {
		const { signIn, unlock } = await saving();
		const closed = signIn.close();

		await becomes(async () => (await signIn.show()).step === "closed", LIMIT_MS, "it was to be closing");
		await unlock();
		await closed;
		assert.equal((await signIn.show()).step, "saved");
	});

	it("but before that: nothing was saved", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.openAtSso();

		await signIn.close();
		assert.equal((await signIn.show()).advice, "Nothing was saved.");
	});
});

describe("time", { concurrency: false }, () => {
	const LIMITS = { stream_idle_s: undefined, stream_absolute_s: undefined, stream_unseen_s: undefined };

	const within = (limits) => rig.restart("streamd", { ...LIMITS, ...limits });

	it("nothing is done for too long, once something could be", { timeout: LIMIT_MS }, async () => {
		await within({ stream_idle_s: 5 });
		const signIn = await alice.open();
		const { pid } = await becomes(() => rig.browsers()[0], LIMIT_MS, "no browser was started");

		process.kill(pid, "SIGSTOP");
		await sleep(6000);
		process.kill(pid, "SIGCONT");
		await signIn.reaches("waiting");
		await timedOut(signIn, /^Nothing was done for 5 seconds\.$/);
	});

	it("it takes too long, whatever is done", { timeout: LIMIT_MS }, async () => {
		await within({ stream_absolute_s: 10 });
		const signIn = await alice.open();
		const restless = setInterval(() => signIn.say("mouse_event", { type: "move", x: 5, y: 5 }), 300);

		try {
			await timedOut(signIn, /open for 10 seconds, the longest/);
		} finally {
			clearInterval(restless);
		}
	});

	it("nobody looks at it", { timeout: LIMIT_MS }, async () => {
		await within({ stream_unseen_s: 5 });
		const signIn = await alice.openAtSso();

		await signIn.disconnect();
		await timedOut(signIn, /^Nobody looked at it for 5 seconds\.$/);
	});

	it("and the page says so", { timeout: LIMIT_MS }, async () => {
		const browser = await openViewer();

		try {
			await within({ stream_idle_s: 20 });
			const person = new Person(await openWindow(browser), rig.url);

			await person.signInToStead(rig.stack.admin);
			await person.openSignIn(person.card("Deskwise").getByRole("link", { name: /^Sign in/ }));
			await person.heading("The sign-in has timed out").waitFor();
			await person.page.getByText("Nothing was done for 20 seconds.", { exact: true }).waitFor();
			await within({}); /* the next may take longer than that to load */
			await person.page.getByRole("link", { name: "Start again" }).click();
			await person.addressShows("desk.test");
		} finally {
			await browser.close();
		}
	});
});
