/*
 * A page that a POST made is never loaded again by a person's Reload: what made it would be sent once more.
 */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { after, before, test } from "node:test";

import { startOwnSite } from "./own_site.mjs";
import { inTime, LIMIT_MS, startRig } from "./rig.mjs";

const seen = [], news = new EventEmitter();
const FORM = '<title>form</title><form method="post" action="/sent"></form><script>document.forms[0].submit()</script>';

let rig, site, alice;

function respond(request, response)
{
	const { method, url } = request;

	seen.push(`${method} ${url}`);
	news.emit("seen");
	response.setHeader("Content-Type", "text/html");
	response.end(url === "/" ? FORM : `<title>${method}</title>${method} ${url}`);
}

async function until(what, n = 1)
{
	const comes = async () => {
		while (seen.filter((one) => one === what).length < n)
			await once(news, "seen");
	};

	await inTime(comes(), 60_000, () => `${n} "${what}" were to come, and there came: ${seen.join(", ")}.`);
}

before(async () => {
	rig = await startRig();
	site = await startOwnSite(rig, "reload.test", { posted: "/" }, respond);
	alice = await rig.login("alice");
}, { timeout: LIMIT_MS });

after(async () => {
	site?.stop();
	await rig?.stop();
});

test("a page that came of a POST is opened, and the POST not made again", { timeout: LIMIT_MS }, async () => {
	const signIn = await alice.open({ site: "posted" });

	await signIn.pageIs(/\/sent$/);
	signIn.say("page_navigate_to", { to: "reload" });
	await until("GET /sent");
	assert.equal(seen.filter((one) => one === "POST /sent").length, 1, seen.join(", "));

	/* And a page that is a GET's is loaded again as ever. */
	await signIn.pageIs(/\/sent$/, 1);
	signIn.say("page_navigate_to", { to: "reload" });
	await until("GET /sent", 2);
	assert.equal(seen.filter((one) => one === "POST /sent").length, 1, seen.join(", "));

	/* Nor by a key. */
	signIn.press("F5", 116);
	signIn.say("page_navigate_to", { to: "reload" });
	await until("GET /sent", 3);
	assert.equal(seen.filter((one) => one === "POST /sent").length, 1, seen.join(", "));
	await signIn.close();
});
