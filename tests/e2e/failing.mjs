/* What sign-ins that come to nothing have in common. */
import assert from "node:assert/strict";

import { becomes, LIMIT_MS } from "./rig.mjs";

/* The newer of two browsers, once it is there. */
export function provingBrowser(rig)
{
	return becomes(() => rig.browsers()[1], LIMIT_MS, "no proving browser was started");
}

export async function proving(alice)
{
	const signIn = await alice.open();

	await signIn.atSite();
	await signIn.reaches("proving");
	return signIn;
}

/* It is over, and both the WebSocket and the API say why and what to do. */
export async function failed(alice, signIn, reason, ms)
{
	await signIn.until(() => signIn.step === "failed", "\"failed\"", ms);
	const shown = await signIn.show();

	assert.equal(shown.step, "failed");
	assert.match(shown.reason, reason);
	assert.equal(shown.reason, signIn.reason);
	assert.ok(shown.advice?.length > 10, "there must be advice");
	assert.equal(shown.advice, signIn.advice);
	assert.deepEqual(await alice.sessions(), [], "nothing may be stored");
	return shown;
}
