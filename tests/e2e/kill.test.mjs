/*
 * Each daemon is killed once (SIGKILL) during each step of the sign-in, and started again. Either the sign-in goes on and
 * is saved, or it has ended with a reason where the person looks; what was reported saved is there, nothing else claims
 * to be, and two seconds later no Chromium and no profile of an ended sign-in is left.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";

import { Person } from "../../demo/person.mjs";
import { openViewer, openWindow } from "../../demo/viewer.mjs";
import { becomes, LIMIT_MS, startRig } from "./rig.mjs";

/* The one daemon whose end is the end of its browsers. */
const OWNER = "streamd";
let rig, alice;

async function version()
{
	const [session] = await alice.sessions();

	return session?.version ?? 0;
}

/* Killed and started again; resolves to what there was of browsers just before. */
async function kill(name)
{
	const remembered = rig.remembered();

	await rig.daemon(name).kill("SIGKILL");
	if (name === OWNER)
		await rig.nothingLeft(remembered);
	await rig.daemon(name).start();
}

/* The steps of a sign-in, in order: what brings it there, in the middle of which strike() is called. */
const MOMENTS = {
	"while the browser is starting": async (signIn, strike) => {
		await becomes(() => rig.browsers().length === 1, LIMIT_MS, "no browser was started");
		assert.equal(signIn.step, "starting");
		await strike();
	},
	"while the person is awaited": async (signIn, strike) => {
		await signIn.toSso();
		await strike();
	},
	"while what the site left is being read": async (signIn, strike) => {
		await signIn.passwordTyped();
		await signIn.codeTyped();
		await signIn.reaches("signed_in");
		assert.equal(signIn.step, "signed_in");
		await strike();
	},
	"while it is being proved": async (signIn, strike) => {
		await signIn.reaches("proving");
		assert.equal(signIn.step, "proving");
		await strike();
	},
	"while it is being saved": async (signIn, strike) => {
		await rig.waitsForLock("stead_sessiond");
		assert.equal(signIn.step, "proving");
		await strike();
	},
};

/* Holds up the save, so that it can be struck, for as long as work() goes on. */
async function withSaveHeldUp(work)
{
	const unlock = await rig.locked("vault.sessions");

	try {
		await work();
	} finally {
		await unlock();
	}
}

async function isSaved(signIn, versionBefore)
{
	const shown = await signIn.show();

	assert.equal(shown.step, "saved");
	assert.equal(shown.reason, undefined);
	await rig.nothingLeft();
	assert.equal(await version(), versionBefore + 1, "it was to be saved once");
	assert.equal((await alice.sessions())[0].health, "working");
}

/* Its owner has died: the person is told, and nobody was told "saved". proved: its save was under way and may be done. */
async function hasEnded(signIn, versionBefore, proved)
{
	await signIn.until(() => signIn.over, "its end");
	assert.ok(!signIn.steps.includes("saved"), "nobody may have read \"saved\"");
	assert.equal(signIn.gone?.status, 410);
	assert.match(signIn.gone.message, /ended when Stead's stream service was restarted.*start again/);
	await rig.nothingLeft();
	assert.ok([versionBefore, ...(proved ? [versionBefore + 1] : [])].includes(await version()), "that was not proved");
	for (const session of await alice.sessions())
		assert.equal(session.health, "working");
}

describe("a daemon is killed during a sign-in", { concurrency: false }, () => {
	before(async () => {
		rig = await startRig();
		alice = await rig.login("alice");
	});
	afterEach(() => alice.closeAll());
	after(() => rig?.stop());

	/* Each is the end of that sign-in. */
	for (const [last, when] of Object.keys(MOMENTS).entries()) {
		it(`streamd ${when}: it ends with its reason`, { timeout: LIMIT_MS }, async () => {
			const before = await version();
			const signIn = (await alice.open()).comeBack();

			await withSaveHeldUp(async () => {
				for (const [i, reach] of Object.values(MOMENTS).slice(0, last + 1).entries())
					await reach(signIn, () => (i === last ? kill("streamd") : null));
			});
			await hasEnded(signIn, before, when === "while it is being saved");
		});
	}

	/* None is, so each daemon is killed in every step of one sign-in. */
	for (const name of ["authd", "sessiond", "botd"]) {
		it(`${name} in each of the steps: it goes on and is saved, once`, { timeout: LIMIT_MS }, async () => {
			const before = await version();
			const signIn = (await alice.open()).comeBack();

			await withSaveHeldUp(async () => {
				for (const reach of Object.values(MOMENTS))
					await reach(signIn, () => kill(name));
			});
			await signIn.reaches("saved");
			await isSaved(signIn, before);
		});
	}
});

describe("and what the person's page says", { concurrency: false }, () => {
	let browser, person;

	before(async () => {
		rig = await startRig();
		browser = await openViewer();
		person = new Person(await openWindow(browser), rig.url);
		await person.signInToStead(rig.stack.admin);
	});
	after(async () => {
		await browser?.close();
		await rig?.stop();
	});

	async function openSignIn()
	{
		await person.dashboard();
		await person.openSignIn(person.card("Deskwise").getByRole("link", { name: /^Sign in/ }));
		await person.toCompanySso();
		await person.passwordTyped(rig.account("alice"));
		await person.codeTyped((await rig.sites.control("/totp?login=alice")).code);
	}

	it("when streamd is killed while it is being proved", { timeout: LIMIT_MS }, async () => {
		await openSignIn();
		await person.stepReached("Proving");
		await kill("streamd");
		await person.page.getByText("This sign-in ended when Stead's stream service was restarted.").waitFor();
		assert.equal(await person.heading("Saved").count(), 0);
		await rig.nothingLeft();
	});

	it("when authd, sessiond and botd are killed while it is being proved", { timeout: LIMIT_MS }, async () => {
		await openSignIn();
		await person.stepReached("Proving");
		for (const name of ["authd", "sessiond", "botd"])
			await kill(name);
		await person.saved();
		await rig.nothingLeft();
		await person.dashboard();
		await person.card("Deskwise").locator(".badge").filter({ hasText: "Works" }).waitFor();
	});
});
