/*
 * What a person meets in a streamed browser that the picture does not show, and what their hands need of it: passkeys,
 * links to apps, new tabs, passwords of HTTP, dragging, keys after a press, untrusted certificates, hosts that are not
 * there, a page's own copy button, the time that is left. Each page tells its server what comes to it.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer as createSecureServer } from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { promisify } from "node:util";

import { Person } from "../../demo/person.mjs";
import { openViewer } from "../../demo/viewer.mjs";
import { Digest } from "./digest.mjs";
import { startOwnSite } from "./own_site.mjs";
import { becomes, inTime, LIMIT_MS, SignIn, startRig } from "./rig.mjs";

const HOST = "meets.test", OTHER = "elsewhere.test";
const LONG = `accounts.a-company-with-a-long-name.looks-like.example.com.${HOST}`;
const told = new EventEmitter().setMaxListeners(0);
let all = [];

/* Large things at known places: no test looks for them. */
const HEAD = `<!doctype html><meta charset="utf-8"><style>
	body { margin: 0 } button, input, a, p { position: absolute; left: 20px; width: 300px; height: 40px; margin: 0 }
	iframe { position: absolute; left: 0; top: 300px; width: 600px; height: 200px; border: 0 }
</style><script>
	let last = Promise.resolve();
	const tell = (what) => last = last.then(() => fetch("https://${HOST}/told", { method: "POST", mode: "no-cors",
		body: JSON.stringify(what) }).catch(() => {}));
</script>`;
const OTHER_WAY = `<input id="code" style="top: 20px" autofocus oninput="tell({ code: this.value })">`;
const BUFFER = "Uint8Array.from({ length: 32 }, (_, i) => i)";
const ceremony = (call) => `<script>
	const begun = performance.now();

	${call}.then(() => tell({ passkey: "there" }), (error) => tell({ passkey: error.name, ms: performance.now() - begun }));
</script>`;
const GET = `navigator.credentials.get({ publicKey: { challenge: ${BUFFER} } })`;
const MAKE = (select) => `navigator.credentials.create({ publicKey: { challenge: ${BUFFER}, rp: { name: "it" },
	user: { id: ${BUFFER}, name: "a", displayName: "A" }, pubKeyCredParams: [{ type: "public-key", alg: -7 }],
	authenticatorSelection: ${JSON.stringify(select)} } })`;

const PASSKEYS = {
	"as the page loads": GET,
	"one that is built in": `navigator.credentials.get({ publicKey: { challenge: ${BUFFER},
		allowCredentials: [{ type: "public-key", id: ${BUFFER}, transports: ["internal"] }] } })`,
	"one on another device": `navigator.credentials.get({ publicKey: { challenge: ${BUFFER},
		allowCredentials: [{ type: "public-key", id: ${BUFFER}, transports: ["hybrid"] },
			{ type: "public-key", id: ${BUFFER}, transports: ["usb"] }] } })`,
	conditional: `navigator.credentials.get({ mediation: "conditional", publicKey: { challenge: ${BUFFER} } })`,
	"to be made": MAKE({ userVerification: "discouraged" }),
	"to be made in the device": MAKE({ authenticatorAttachment: "platform", residentKey: "required" }),
};
const APPS = {
	"a page goes there": ["okta-verify", "<script>setTimeout(() => { location = 'okta-verify://x?secret=1' })</script>"],
	"a frame": ["ms-teams", "<iframe src='ms-teams:/l/x?secret=1'></iframe>"],
	"a frame of another host": ["tel", `<iframe src='https://${OTHER}/to?tel:123'></iframe>`],
	"a refresh": ["intent", "<meta http-equiv=refresh content='0;url=intent://x#Intent;scheme=y;end'>"],
	"a redirection": ["zoommtg", "<iframe src='/302?zoommtg://x?secret=1'></iframe>"],
	"a mail": ["mailto", "<script>setTimeout(() => { location = 'mailto:a@b.test?subject=secret' })</script>"],
	"a form": ["webcal", "<form action='webcal:x'></form><script>setTimeout(() => document.forms[0].submit())</script>"],
};
const NAMES = { ...Object.fromEntries(Object.keys(PASSKEYS).map((name, i) => [`/passkey${i}`, PASSKEYS[name]])) };

const PAGES = {
	"/": OTHER_WAY,
	"/drag": `<p style="top: 20px" id="text">some words to be marked</p>
		<input type="range" style="top: 100px; margin: 0" min="0" max="100" value="0" oninput="tell({ range: +this.value })">
		<p style="top: 180px; background: #ccc" draggable="true" ondragstart="event.dataTransfer.setData('text', 'it'); tell({ dragged: 'begun' })">drag me</p>
		<p style="top: 260px; background: #eee" ondragover="event.preventDefault(); tell({ dragged: 'over' })"
			ondrop="event.preventDefault(); tell({ dropped: event.dataTransfer.getData('text') })">here</p>
		<script>document.onselectionchange = () => tell({ marked: String(getSelection()) })</script>`,
	"/framed": `<iframe src="https://${OTHER}/field"></iframe>`,
	"/field": `<input style="top: 20px" oninput="tell({ field: this.value })">
		<script>onmousedown = () => { for (const end = performance.now() + 150; performance.now() < end;); }</script>`,
	"/tabs": `<title>first</title><a style="top: 20px" href="/second" target="_blank">second</a>
		<button style="top: 80px" onclick="window.open('/second', '', 'popup,width=400,height=300')">popup</button>
		<button style="top: 140px" onclick="tell({ pressed: 'first' })">press</button>
		<button style="top: 200px" onclick="window.open('okta-verify://x?secret=1')">app</button>`,
	"/second": `<title>second</title><button style="top: 20px" onclick="tell({ pressed: 'second' })">press</button>`,
	"/copy": `<button style="top: 20px" onclick="navigator.clipboard.writeText('from the page')">copy</button>
		<button style="top: 80px" onclick="const a = Object.assign(document.createElement('textarea'), { value: 'selected' });
			document.body.append(a); a.select(); document.execCommand('copy')">copy</button>
		<input style="top: 140px" value="by key">
		<script>setTimeout(() => navigator.clipboard.writeText('unasked').catch(() => {}), 50)</script>`,
	"/wants": `<input type="file" style="top: 20px"><input type="date" style="top: 80px">
		<a style="top: 140px" href="/download">download</a><button style="top: 200px" onclick="print(); tell({ printed: true })">print</button>
		<button style="top: 260px" onclick="tell({ pressed: 'still' })">press</button>`,
	"/parts": `<link rel="stylesheet" href="/part.css"><script src="/part.js"></script><img src="/part.svg" onload="tell({ part: 'there' })"
		onerror="tell({ part: 'no picture' })">`,
	"/lacks": `<a style="top: 20px" href="/signed-in">go on</a>`,
	"/leave": `<a style="top: 20px" href="https://bad.${HOST}/">bad</a><a style="top: 80px" href="https://gone.${HOST}/">gone</a>
		<a style="top: 140px" href="https://nowhere.invalid/">nowhere</a><a style="top: 200px" href="https://private.${HOST}/">private</a>
		<a style="top: 260px" href="https://refused.test/">refused</a>
		<a style="top: 320px" href="https://slow.${HOST}/">slow</a>`,
};

let broken = 0; /* so many times more /moody answers 503 */
const wanted = new Map(); /* path → [name, password], as HTTP's Basic has it */
const digest = new Digest("The back room", "alice", "a:b"); /* of /digest */

function unauthorized(request, response)
{
	const want = wanted.get(new URL(request.url, "https://x").pathname);
	const given = Buffer.from((request.headers.authorization ?? "").replace(/^Basic /, ""), "base64").toString();

	const digested = request.url === "/digest";

	if (digested ? digest.accepts(request) : !want || given === want.join(":"))
		return false;
	response.writeHead(401, { "WWW-Authenticate": digested ? digest.challenge() : 'Basic realm="The back room"', "Content-Type": "text/html" });
	response.end(`${HEAD}<title>refused</title><p>nobody</p><script>tell({ refused: true })</script>`);
	return true;
}

function respond(request, response)
{
	const { pathname, search } = new URL(request.url, `https://${HOST}`);
	let text = "";

	request.on("data", (piece) => {
		text += piece;
	}).on("end", () => {
		response.setHeader("Content-Type", "text/html");
		if (pathname === "/told") {
			all.push(JSON.parse(text));
			told.emit("told");
			response.end();
		} else if (unauthorized(request, response)) {
			return;
		} else if (pathname === "/moody" && broken-- > 0) {
			response.writeHead(503).end(`${HEAD}<p>not now</p>`);
		} else if (pathname.startsWith("/part.")) {
			response.setHeader("Content-Type", { css: "text/css", js: "text/javascript", svg: "image/svg+xml" }[pathname.slice(6)]);
			response.end(pathname.endsWith("svg") ? '<svg xmlns="http://www.w3.org/2000/svg"/>' : "");
		} else if (pathname === "/302") {
			response.writeHead(302, { Location: decodeURIComponent(search.slice(1)) }).end();
		} else if (pathname === "/to") {
			response.end(`<script>setTimeout(() => { location = ${JSON.stringify(search.slice(1))} })</script>`);
		} else if (pathname === "/download") {
			response.writeHead(200, { "Content-Disposition": 'attachment; filename="a b.pdf"' }).end("x");
		} else if (pathname.startsWith("/app")) {
			response.end(HEAD + OTHER_WAY + Object.values(APPS)[Number(pathname.slice(4))][1]);
		} else if (NAMES[pathname]) {
			response.end(HEAD + OTHER_WAY + ceremony(NAMES[pathname]));
		} else if (pathname.startsWith("/framed-passkey")) {
			response.end(`${HEAD}<iframe allow="publickey-credentials-get *" src="https://${OTHER}/passkey0"></iframe>`);
		} else {
			response.end(HEAD + (PAGES[pathname] ?? "<p>signed in as nobody</p>"));
		}
	});
}

/* What the pages have told, up to the first that is so. */
async function hears(holds, what)
{
	const end = new AbortController();
	const wait = (async () => {
		while (!all.some(holds))
			await once(told, "told", { signal: end.signal });
		return all.find(holds);
	})();

	wait.catch(() => {});
	try {
		return await inTime(wait, 40_000, () => `no page told of ${what}; they told ${JSON.stringify(all)}`);
	} finally {
		end.abort();
	}
}

let rig, site, alice, bad, slow;

/* One whose certificate nobody trusts, and one that takes connections and says nothing. */
async function startServers()
{
	const dir = rig.stack.dir, key = join(dir, "bad.key"), cert = join(dir, "bad.pem");

	await promisify(execFile)("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert,
		"-days", "30", "-subj", `/CN=bad.${HOST}`, "-addext", `subjectAltName=DNS:bad.${HOST}`]);
	bad = createSecureServer({ key: await readFile(key), cert: await readFile(cert) },
		(request, response) => response.end("<title>inside</title>")).listen(0, "127.0.0.1");
	slow = createServer(() => {}).listen(0, "127.0.0.1");
	await Promise.all([once(bad, "listening"), once(slow, "listening")]);
}

/* A sign-in that stands at a page, painted. */
async function at(name)
{
	all = [];
	const signIn = await alice.open({ site: name });

	await signIn.reaches("waiting");
	await signIn.pageIs(new RegExp(`^https://${HOST.replaceAll(".", "\\.")}/`));
	return signIn;
}

/* The other way on the page can be used: keys and the mouse come to it. */
async function usable(signIn)
{
	signIn.click(100, 40);
	signIn.press("7", 55, "7");
	await hears(({ code }) => code === "7", "what was typed into the other way");
}

before(async () => {
	rig = await startRig();
	alice = await rig.login("alice");
	await startServers();
	site = await startOwnSite(rig, HOST, {
		...Object.fromEntries(Object.keys(PAGES).filter((path) => path !== "/").map((path) => [`at-${path.slice(1)}`, path])),
		...Object.fromEntries(Object.keys(PASSKEYS).map((_, i) => [`passkey${i}`, `/passkey${i}`])),
		...Object.fromEntries(Object.keys(APPS).map((_, i) => [`app${i}`, `/app${i}`])),
		"framed-passkey": "/framed-passkey", "at-password": "/password", "at-digest": "/digest", "at-plain": "/", "at-moody": "/moody",
		"at-long": `/302?${encodeURIComponent(`https://${LONG}/?continue=1`)}`,
	}, respond, { hosts: { [OTHER]: true, [LONG]: true, [`bad.${HOST}`]: `127.0.0.1:${bad.address().port}`, [`gone.${HOST}`]: "127.0.0.1:9",
		[`private.${HOST}`]: "10.0.0.9:443", "nowhere.invalid": null, [`slow.${HOST}`]: `127.0.0.1:${slow.address().port}` },
	change: (name, recipe) => {
		if (name === "at-plain")
			recipe.title = "A site whose title is as long as those of companies are";
		if (name === "at-lacks")
			recipe.signed_in.mark = { css: "#who" };
	} });
});
after(async () => {
	await rig?.stop();
	site?.stop();
	bad?.close();
	slow?.close();
});
afterEach(() => alice?.closeAll());

describe("a passkey that a page asks for", { concurrency: false }, () => {
	for (const [i, name] of Object.keys(PASSKEYS).entries())
		it(`${name}: is refused at once, told once, and the other way works`, { timeout: LIMIT_MS }, async () => {
			const signIn = await at(`passkey${i}`);
			const refused = await hears(({ passkey }) => passkey, "the end of the ceremony");

			assert.equal(refused.passkey, "NotAllowedError");
			assert.ok(refused.ms < 800, `it took ${refused.ms} ms`);
			await signIn.noted(/passkey/);
			await usable(signIn);
			assert.equal(signIn.notes.size, 1);
		});

	it("in a frame of another host: the same", { timeout: LIMIT_MS }, async () => {
		const signIn = await at("framed-passkey");

		assert.equal((await hears(({ passkey }) => passkey, "the end of the ceremony")).passkey, "NotAllowedError");
		await signIn.noted(new RegExp(`^${OTHER} asked for a passkey`));
		signIn.click(100, 340);
		signIn.press("7", 55, "7");
		await hears(({ code }) => code === "7", "what was typed into the frame");
	});
});

describe("a link that opens an app", { concurrency: false }, () => {
	for (const [i, name] of Object.keys(APPS).entries())
		it(`${name}: is refused at once, told once, and the other way works`, { timeout: LIMIT_MS }, async () => {
			const signIn = await at(`app${i}`);
			const { text } = await signIn.noted(new RegExp(`\\(${Object.values(APPS)[i][0]}:\\)`));

			assert.doesNotMatch(text, /secret/);
			await usable(signIn);
		});

	it("in a window of its own: that goes away again", { timeout: LIMIT_MS }, async () => {
		const signIn = await at("at-tabs");

		signIn.click(100, 220);
		await signIn.noted(/\(okta-verify:\)/);
		await signIn.until(() => /\/tabs$/.test(signIn.page.url) && signIn.tabs.length <= 1, "the page itself in front again");
		signIn.click(100, 160);
		await hears(({ pressed }) => pressed === "first", "a press of the first page");
	});

	it("what was read once is not said again, and whoever comes later reads it", { timeout: LIMIT_MS }, async () => {
		const signIn = await at("app0");
		const { note } = await signIn.noted(/okta-verify/);

		await signIn.disconnect();
		signIn.notes.clear();
		await signIn.connect();
		await signIn.noted(/okta-verify/);
		signIn.say("note_close", { note });
		await signIn.until(() => signIn.notes.size === 0, "no note");
		const { loads } = signIn;

		signIn.say("page_navigate_to", { to: "reload" });
		await signIn.pageIs(/app0/, loads);
		await usable(signIn);
		assert.equal(signIn.notes.size, 0);
	});
});

describe("tabs", { concurrency: false }, () => {
	for (const [what, y, popup] of [["a new tab", 40], ["a popup", 100, true]])
		it(`${what} is seen, there is a way back and forth, and a close`, { timeout: LIMIT_MS }, async () => {
			const signIn = await at("at-tabs");

			signIn.click(100, y);
			await signIn.until(() => signIn.tabs.length === 2 && signIn.tabs[1].title === "second", "two tabs");
			assert.deepEqual(signIn.tabs.map(({ title, host, front = false }) => [title, host, front]),
				[["first", HOST, false], ["second", HOST, true]]);
			if (popup)
				assert.equal(signIn.page.popup, true);
			await signIn.painted();
			signIn.say("tab_show", { tab: signIn.tabs[0].tab });
			await signIn.until(() => signIn.tabs[0].front && /\/tabs$/.test(signIn.page.url), "the first in front");
			await signIn.painted();
			signIn.click(100, 160);
			await hears(({ pressed }) => pressed === "first", "a press of the first page");
			signIn.say("tab_show", { tab: signIn.tabs[1].tab });
			await signIn.until(() => signIn.tabs[1].front, "the second in front");
			await signIn.painted();
			signIn.click(100, 40);
			await hears(({ pressed }) => pressed === "second", "a press of the second page");
			signIn.say("tab_close", { tab: signIn.tabs[1].tab });
			await signIn.until(() => signIn.tabs.length === 1 && /\/tabs$/.test(signIn.page.url), "one tab");
			await signIn.painted();
			all = [];
			signIn.click(100, 160);
			await hears(({ pressed }) => pressed === "first", "a press of the first page");
			signIn.say("tab_close", { tab: signIn.tabs[0].tab });
			all = [];
			signIn.click(100, 160);
			await hears(({ pressed }) => pressed === "first", "a press of the last page, which stays");
		});
});

describe("a password of HTTP", { concurrency: false }, () => {
	before(() => wanted.set("/password", ["alice", "a:b"]));

	for (const [scheme, path] of [["Basic", "password"], ["Digest", "digest"]])
		it(`(${scheme}) is asked for with host and realm, again when it was wrong, and then the page comes`, { timeout: LIMIT_MS }, async () => {
			all = [];
			const signIn = await alice.open({ site: `at-${path}` });

			await signIn.until(() => signIn.dialog, "a dialog");
			const { dialog, kind, host, message, plain = false, proxy = false, again = false } = signIn.dialog;

			assert.deepEqual({ kind, host, message, plain, proxy, again },
				{ kind: "password", host: HOST, message: "The back room", plain: false, proxy: false, again: false });
			signIn.say("dialog_answer", { dialog, accept: true, name: "alice", text: "wrong" });
			await signIn.until(() => signIn.dialog && signIn.dialog.dialog !== dialog, "another dialog");
			assert.equal(signIn.dialog.again, true);
			signIn.say("dialog_answer", { dialog: signIn.dialog.dialog, accept: true, name: "alice", text: "a:b" });
			await signIn.pageIs(new RegExp(`/${path}$`));
			assert.equal(signIn.dialog, null);
			if (scheme === "Digest")
				await becomes(() => digest.accepted > 0, LIMIT_MS, "the site was to take it");
		});

	it("is asked for again after Reload, each time", { timeout: LIMIT_MS }, async () => {
		all = [];
		const signIn = await alice.open({ site: "at-password" });
		const another = async (dialog) => {
			await signIn.until(() => signIn.dialog && signIn.dialog.dialog !== dialog, "another dialog");
			return signIn.dialog.dialog;
		};
		let dialog = await another(undefined);

		for (let i = 0; i < 2; i++) {
			all = [];
			signIn.say("dialog_answer", { dialog, accept: false });
			await hears(({ refused }) => refused, "the page that the site answers with");
			signIn.say("page_navigate_to", { to: "reload" });
			dialog = await another(dialog);
		}
		signIn.say("dialog_answer", { dialog, accept: true, name: "alice", text: "a:b" });
		await signIn.until(() => !signIn.dialog, "no dialog");
	});

	it("is asked for again when Reload comes before it was answered", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.open({ site: "at-password" });

		await signIn.until(() => signIn.dialog, "a dialog");
		for (let i = 0; i < 2; i++) {
			const { dialog } = signIn.dialog;

			signIn.say("page_navigate_to", { to: "reload" });
			await signIn.until(() => signIn.dialog && signIn.dialog.dialog !== dialog, "another dialog");
		}
		signIn.say("dialog_answer", { dialog: signIn.dialog.dialog, accept: true, name: "alice", text: "a:b" });
		await signIn.pageIs(/\/password$/);
		await signIn.until(() => !signIn.dialog, "no dialog");
	});

	/* What is not paused is asked for by Chromium itself, in a window that no picture shows, and the page never comes. */
	for (const part of ["css", "js", "svg"])
		it(`is asked for a part of a page (${part}) as well`, { timeout: LIMIT_MS }, async () => {
			wanted.set(`/part.${part}`, ["alice", "c:d"]);
			all = [];
			const signIn = await alice.open({ site: "at-parts" });

			await signIn.until(() => signIn.dialog, "a dialog");
			assert.match(signIn.dialog.url, /\/part\.[a-z]+$/);
			signIn.say("dialog_answer", { dialog: signIn.dialog.dialog, accept: true, name: "alice", text: "c:d" });
			await hears((one) => one.part === "there", "its picture");
			wanted.delete(`/part.${part}`);
		});

	it("Cancel shows what the site says to nobody, and a viewer who comes later sees the dialog", { timeout: LIMIT_MS }, async () => {
		all = [];
		const signIn = await alice.open({ site: "at-password" });

		await signIn.until(() => signIn.dialog, "a dialog");
		await signIn.disconnect();
		signIn.dialog = null;
		await signIn.connect();
		await signIn.until(() => signIn.dialog, "the dialog, for who comes later");
		signIn.say("dialog_answer", { dialog: signIn.dialog.dialog, accept: false });
		await hears(({ refused }) => refused, "the page that the site answers with");
	});
});

describe("hands", { concurrency: false }, () => {
	it("dragging marks text, moves a slider, and drags and drops", { timeout: LIMIT_MS }, async () => {
		const signIn = await at("at-drag");

		signIn.drag([22, 28], [60, 28], [120, 28], [250, 30]);
		await hears(({ marked }) => marked?.includes("words"), "marked text");
		signIn.drag([28, 120], [60, 120], [150, 120], [200, 120]);
		await hears(({ range }) => range > 30, "a slider that moves");
		/* Chromium begins a drag in its own time, as hands are slow. */
		signIn.hold([100, 200], [104, 206], [110, 215]);
		await hears(({ dragged }) => dragged === "begun", "the beginning of a drag");
		await becomes(() => {
			signIn.hold(null, [110, 265 + Math.random() * 20]);
			return all.some(({ dragged }) => dragged === "over");
		}, 40_000, () => `nothing was dragged over its goal: ${JSON.stringify(all)}`);
		signIn.drag(null, [112, 280]);
		await hears(({ dropped }) => dropped === "it", "a drop");
	});

	it("keys right behind a press into a frame of another host all come", { timeout: LIMIT_MS }, async () => {
		const signIn = await at("at-framed");

		await becomes(() => rig.browsers().some((browser) => rig.renderers(browser).length >= 2), 60_000, "no process of the frame");
		await signIn.painted();
		signIn.click(100, 340);
		for (const [i, key] of [..."letters"].entries())
			signIn.press(key, key.toUpperCase().charCodeAt(0), i === 3 ? "t" : key);
		signIn.type("!");
		await hears(({ field }) => field === "letters!", "all that was typed");
	});
});

describe("the clipboard", { concurrency: false }, () => {
	it("what the page's own button copies is offered to who pressed it, and to nobody else", { timeout: LIMIT_MS }, async () => {
		const signIn = await at("at-copy");
		const looker = new SignIn(alice, signIn.id);

		await looker.connect();
		assert.deepEqual(signIn.copied, []); /* nobody had acted */
		signIn.click(100, 40);
		await signIn.until(() => signIn.copied.length === 1, "an offer");
		signIn.click(100, 100);
		await signIn.until(() => signIn.copied.length === 2, "another offer");
		signIn.click(100, 160);
		signIn.say("key_event", { type: "down", key: "a", code: "KeyA", vk: 65, modifiers: 2 });
		signIn.say("key_event", { type: "down", key: "c", code: "KeyC", vk: 67, modifiers: 2 });
		await signIn.until(() => signIn.copied.length === 3, "what was copied by key");
		assert.deepEqual(signIn.copied.map(({ text, offered = false }) => [text, offered]),
			[["from the page", true], ["selected", true], ["by key", false]]);
		await looker.painted(); /* behind all that it was told */
		assert.deepEqual(looker.copied, []);
	});
});

describe("what this browser has not got", { concurrency: false }, () => {
	it("files, calendars, downloads and printers: said once, and the page goes on", { timeout: LIMIT_MS }, async () => {
		const signIn = await at("at-wants");

		signIn.click(60, 40);
		await signIn.noted(/asks for a file/);
		signIn.click(300, 100);
		await signIn.noted(/calendar/);
		signIn.click(60, 160);
		await signIn.noted(/a b\.pdf/);
		signIn.click(60, 220);
		await signIn.noted(/print/);
		await hears(({ printed }) => printed, "the end of what the page does to print"); /* until then no click reaches it */
		signIn.click(60, 280);
		await hears(({ pressed }) => pressed === "still", "a press");
		assert.equal(signIn.notes.size, 4);
	});
});

describe("on Stead's page", { concurrency: false }, () => {
	let browser, person;

	before(async () => {
		browser = await openViewer();
		const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });

		await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: new URL(rig.url).origin });
		person = new Person(await context.newPage(), rig.url);
		await person.signInToStead({ name: "alice", password: rig.password });
	});
	after(() => browser?.close());

	/* What the remote page shows, once it is painted. */
	async function facing(site)
	{
		all = [];
		await person.page.goto(`${rig.url}/sites/${site}/sign-in`);
		await person.addressShows(HOST);
		await person.page.locator("canvas:not(.blank)").waitFor();
		const box = await person.page.locator("canvas").boundingBox();

		return (x, y) => person.page.mouse.click(box.x + x, box.y + y);
	}

	it("a note is read and closed, and what the page copies is had by one press", { timeout: LIMIT_MS }, async () => {
		const { page } = person;
		const press = await facing("at-copy");

		await press(100, 40);
		await page.locator(".note").getByRole("button", { name: "Copy", exact: true }).click();
		await page.getByText("Copied.").waitFor();
		assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "from the page");
		await page.locator(".note").waitFor({ state: "detached" });
	});

	it("tabs are changed and closed by keyboard", { timeout: LIMIT_MS }, async () => {
		const { page } = person;
		const tabs = page.getByRole("navigation", { name: "Tabs of the page" });
		const press = await facing("at-tabs");

		await press(100, 40);
		await tabs.getByRole("button", { name: "second", exact: true }).and(page.locator("[aria-current=page]")).waitFor();
		await tabs.getByRole("button", { name: "first", exact: true }).press("Enter");
		await tabs.getByRole("button", { name: "first", exact: true }).and(page.locator("[aria-current=page]")).waitFor();
		await tabs.getByRole("button", { name: "Close second" }).press("Enter");
		await tabs.waitFor({ state: "detached" });
	});

	it("of a long host the end stays to be read on a phone, which says whose it is", { timeout: LIMIT_MS }, async () => {
		const { page } = person;

		await page.setViewportSize({ width: 390, height: 844 });
		await page.goto(`${rig.url}/sites/at-long/sign-in`);
		await person.addressShows(LONG);
		const bar = await page.locator(".location").boundingBox(), own = await page.locator(".url .own").boundingBox();

		assert.equal(await page.locator(".url .own").innerText(), HOST);
		assert.ok(own.x >= bar.x && own.x + own.width <= bar.x + bar.width, JSON.stringify({ own, bar }));
		await page.setViewportSize({ width: 1280, height: 800 });
	});

	it("a password of HTTP is typed into a dialog that names the host", { timeout: LIMIT_MS }, async () => {
		const { page } = person;

		await page.goto(`${rig.url}/sites/at-password/sign-in`);
		const dialog = page.getByRole("dialog", { name: `${HOST} asks who you are` });

		await dialog.getByText("The back room").waitFor();
		await dialog.getByLabel("Name").fill("alice");
		await dialog.getByLabel("Password").fill("a:b");
		await dialog.getByRole("button", { name: "Sign in" }).click();
		await person.addressShows(HOST);
	});
});

describe("a page that is not there", { concurrency: false }, () => {
	const leads = [
		["to an untrusted certificate", 40, `The certificate of bad.${HOST} is not trusted (unknown authority). Do not type a password.`],
		["to a host that refuses connections", 100, `gone.${HOST} refuses connections.`],
		["to a host that does not exist", 160, "nowhere.invalid does not exist: nothing has an address of that name."],
		["to a private address", 220, `private.${HOST} is at 10.0.0.9, a private address; its recipe can allow that (private_addresses).`],
		["to a host that the recipe does not allow", 280,
			"refused.test is not among the hosts that the site may reach; its recipe can allow it (hosts)."],
	];

	for (const [what, y, text] of leads)
		it(`a link ${what} is told until another page comes`, { timeout: LIMIT_MS }, async () => {
			const signIn = await at("at-leave");

			signIn.click(60, y);
			const note = await signIn.noted(/./);

			assert.equal(note.text, text);
			assert.equal(note.reload, true);
			signIn.say("page_navigate_to", { to: "back" });
			await signIn.until(() => signIn.notes.size === 0, "no note");
		});

	it("a sign-in page that its server cannot make is told at each try, and no more once it has come", { timeout: LIMIT_MS }, async () => {
		broken = 2;
		const signIn = await at("at-moody");
		const first = await signIn.noted(/./);

		assert.equal(first.text, `https://${HOST}/moody answers 503 (it is not available now).`);
		assert.equal(first.reload, true);
		signIn.say("page_navigate_to", { to: "reload" });
		await signIn.until(() => !signIn.notes.has(first.note) && signIn.notes.size === 1 && !signIn.page.loading, "the same, said anew");
		const { loads } = signIn;

		signIn.say("page_navigate_to", { to: "reload" });
		await signIn.pageIs(/moody/, loads);
		assert.equal(signIn.notes.size, 0);
	});

	it("an untrusted certificate can be neither clicked nor typed through", { timeout: LIMIT_MS }, async () => {
		const signIn = await at("at-leave");
		let come = false;

		bad.once("request", () => {
			come = true;
		});
		signIn.click(60, 40);
		await signIn.noted(/certificate/);
		await signIn.painted();
		for (const key of "thisisunsafe")
			signIn.press(key, key.toUpperCase().charCodeAt(0), key);
		signIn.say("page_navigate_to", { to: "reload" });
		await signIn.until(() => signIn.notes.size === 0, "another try");
		await signIn.noted(/certificate/);
		assert.equal(come, false);
	});

	it("a host that does not answer is told after a while, and a reload asks it again", { timeout: LIMIT_MS }, async () => {
		const signIn = await at("at-leave");

		signIn.click(60, 340);
		assert.equal((await signIn.noted(/./)).text, `slow.${HOST} has not answered for 12 s.`);
		const asked = once(slow, "connection");

		signIn.say("page_navigate_to", { to: "reload" });
		await inTime(asked, 60_000, "the host was not asked again");
		await signIn.until(() => signIn.notes.size === 0, "no note");
	});
});

describe("a rule that is met but for its mark", { concurrency: false }, () => {
	it("is told unasked, and no more once another page is there", { timeout: LIMIT_MS }, async () => {
		const signIn = await at("at-lacks");

		signIn.click(60, 40);
		await signIn.pageIs(/signed-in/);
		assert.equal((await signIn.noted(/./)).text,
			"Stead does not take you for signed in yet. The mark of a signed-in person is not on the page yet.");
		signIn.say("page_navigate_to", { to: "back" });
		await signIn.until(() => signIn.notes.size === 0, "no note");
	});
});

describe("the time that is left", { concurrency: false }, () => {
	before(() => rig.restart("streamd", { stream_idle_s: 20 }));

	it("is enough for a code from another app on the same phone", { timeout: LIMIT_MS }, async () => {
		const { stdout } = await promisify(execFile)(join(rig.stack.programs, "streamd"), ["--print-settings"]);

		for (const name of ["stream_idle_s", "stream_unseen_s"])
			assert.ok(Number(new RegExp(`^#? *${name} = (\\d+)`, "m").exec(stdout)[1]) >= 900, `${name} in ${stdout}`);
	});

	it("is told before nobody has done anything for too long, and put off by staying", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.open({ site: "at-plain" });

		await signIn.until(() => signIn.limit?.soon, "a warning");
		const warned = signIn.limit;

		assert.equal(warned.limit, "idle");
		signIn.say("stay");
		await signIn.until(() => !signIn.limit.soon, "more time");
		assert.ok(signIn.limit.ends_at_ms > warned.ends_at_ms, `${signIn.limit.ends_at_ms} after ${warned.ends_at_ms}`);
		assert.equal(signIn.step, "waiting");
	});

	it("has its room on the page, also on a phone, with a button that puts the end off", { timeout: LIMIT_MS }, async () => {
		const browser = await openViewer();

		try {
			const person = new Person(await browser.newPage({ viewport: { width: 390, height: 844 } }), rig.url), { page } = person;
			const apart = async () => {
				const left = await page.locator(".time-left").boundingBox();

				for (const mark of await page.locator(".steps .mark, .steps .name").all()) {
					const box = await mark.boundingBox();

					assert.ok(!box || box.width <= 1 || box.x + box.width <= left.x || box.y + box.height <= left.y,
						JSON.stringify({ box, left }));
				}
				const [title, steps] = await Promise.all(["h1", ".steps"].map((css) => page.locator(css).boundingBox()));

				assert.ok(title.x + title.width <= steps.x || title.y + title.height <= steps.y, JSON.stringify({ title, steps }));
			};

			await person.signInToStead({ name: "alice", password: rig.password });
			await page.goto(`${rig.url}/sites/at-plain/sign-in`);
			await page.getByRole("button", { name: "Stay" }).waitFor();
			for (const width of [390, 760, 1024, 1280]) {
				await page.setViewportSize({ width, height: 800 });
				await apart();
			}
			await page.getByRole("button", { name: "Stay" }).click();
			await page.getByRole("button", { name: "Stay" }).waitFor({ state: "detached" });
		} finally {
			await browser.close();
		}
	});

	it("of an end that nothing puts off is told as such", { timeout: LIMIT_MS }, async () => {
		await rig.restart("streamd", { stream_idle_s: undefined, stream_absolute_s: 60 });
		const signIn = await at("at-plain");

		assert.equal(signIn.limit.limit, "absolute");
		assert.ok(signIn.limit.ends_at_ms - Date.now() < 61_000);
	});
});
