/*
 * What a person's hands do on the picture of a site's page comes to that page, all of it and in order: the wheel, clicks,
 * double clicks and drags, keys, text that is pasted and text that an input method composes, a finger on a phone.
 */
import assert from "node:assert/strict";
import { EventEmitter, on } from "node:events";
import { after, before, describe, it } from "node:test";

import { see } from "../../demo/eyes.mjs";
import { Person } from "../../demo/person.mjs";
import { openViewer } from "../../demo/viewer.mjs";
import { startOwnSite } from "./own_site.mjs";
import { inTime, LIMIT_MS, startRig } from "./rig.mjs";

const PAD = [15, 118, 110];

/* A page that tells its server what is done to it, one after another. */
const PAGE = `<!doctype html><meta name="viewport" content="width=device-width"><title>hands</title><style>
	body { margin: 0; height: 4000px }
	#pad { margin: 80px 20px 0; width: 280px; height: 200px; background: rgb(${PAD}); user-select: none }
</style><div id="pad"></div><input id="field"><script>
	let told = Promise.resolve();
	const tell = (what) => told = told.then(() => fetch("/told", { method: "POST", body: JSON.stringify(what) }));
	const pad = document.getElementById("pad"), field = document.getElementById("field");
	for (const type of ["mousedown", "mouseup", "click", "dblclick", "contextmenu"])
		pad.addEventListener(type, (event) => tell({ type, button: event.button, detail: event.detail }));
	pad.addEventListener("mousemove", (event) => event.buttons && tell({ type: "drag", x: event.clientX }));
	field.addEventListener("focus", () => tell({ type: "focus" }));
	field.addEventListener("input", () => tell({ type: "input", value: field.value }));
	addEventListener("scroll", () => tell({ type: "scroll", top: Math.round(scrollY) }));
</script>`;

/* What the page has told; until(what) takes it off up to the first that is so, and resolves to all of that. */
class Told extends EventEmitter {
	#all = [];

	add(what)
	{
		this.#all.push(what);
		this.emit("told");
	}

	forget()
	{
		this.#all = [];
	}

	async until(holds, what)
	{
		const end = new AbortController();
		const news = on(this, "told", { signal: end.signal });
		const wait = (async () => {
			for (;;) {
				const at = this.#all.findIndex(holds);

				if (at >= 0)
					return this.#all.splice(0, at + 1);
				await news.next();
			}
		})();

		wait.catch(() => {});
		try {
			return await inTime(wait, 60_000, () => `the page was to tell of ${what}; it told ${JSON.stringify(this.#all)}`);
		} finally {
			end.abort();
		}
	}
}

const told = new Told();
let rig, browser, site;

function respond(request, response)
{
	let text = "";

	request.on("data", (piece) => {
		text += piece;
	}).on("end", () => {
		if (request.url === "/told")
			told.add(JSON.parse(text));
		response.setHeader("Content-Type", "text/html").end(PAGE);
	});
}

/* A person before the picture of the page, in a window of such a kind; with where its pad is. */
async function facing(options)
{
	const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
	const person = new Person(await context.newPage(), rig.url);

	await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: new URL(rig.url).origin });
	await person.signInToStead(rig.stack.admin);
	await person.page.goto(`${rig.url}/sites/hands/sign-in`);
	const pad = await see(person.page, PAD, "the pad");

	told.forget();
	return { page: person.page, context, pad };
}

before(async () => {
	rig = await startRig();
	site = await startOwnSite(rig, "hands.test", { hands: "/" }, respond);
	browser = await openViewer();
});
after(async () => {
	await browser?.close();
	await rig?.stop();
	site?.stop();
});

describe("a mouse and a keyboard", { concurrency: false }, () => {
	let page, context, pad;

	before(async () => {
		({ page, context, pad } = await facing({}));
	});
	after(() => context?.close());

	it("the wheel scrolls, down and up again", { timeout: LIMIT_MS }, async () => {
		await page.mouse.move(pad.x, pad.y);
		await page.mouse.wheel(0, 300);
		const down = await told.until(({ type, top }) => type === "scroll" && top >= 100, "scrolling down");

		await page.mouse.wheel(0, -3000);
		await told.until(({ type, top }) => type === "scroll" && top === 0, "scrolling up");
		assert.ok(down.at(-1).top <= 1000, "it went further than the wheel did");
		await see(page, PAD, "the pad where it was", { accept: ({ y }) => Math.abs(y - pad.y) < 8 });
	});

	it("a double click is one, and its clicks are counted", { timeout: LIMIT_MS }, async () => {
		await page.mouse.dblclick(pad.x, pad.y);
		const heard = await told.until(({ type }) => type === "dblclick", "a double click");

		assert.deepEqual(heard.map(({ type, detail }) => `${type} ${detail}`), ["mousedown 1", "mouseup 1", "click 1",
			"mousedown 2", "mouseup 2", "click 2", "dblclick 2"]);
	});

	it("the right button opens the page's menu, not ours", { timeout: LIMIT_MS }, async () => {
		await page.mouse.click(pad.x, pad.y, { button: "right" });
		const heard = await told.until(({ type }) => type === "contextmenu", "a context menu");

		assert.deepEqual(heard[0], { type: "mousedown", button: 2, detail: 1 });
	});

	it("a drag is a press, moves in order, and a release", { timeout: LIMIT_MS }, async () => {
		await page.mouse.move(pad.x - 80, pad.y);
		await page.keyboard.press("Escape"); /* whatever the right button has opened */
		told.forget();
		await page.mouse.down();
		for (let x = -70; x <= 80; x += 10)
			await page.mouse.move(pad.x + x, pad.y);
		await page.mouse.up();
		const heard = await told.until(({ type, button }) => type === "mouseup" && button === 0, "a release");
		const xs = heard.filter(({ type }) => type === "drag").map(({ x }) => x);

		assert.equal(heard.find(({ button }) => button === 0).type, "mousedown"); /* the right one's release may come late */
		assert.ok(xs.length >= 2, `it moved: ${xs}`);
		assert.deepEqual(xs, [...xs].sort((a, b) => a - b));
		assert.ok(xs.at(-1) - xs[0] > 60, `all the way: ${xs}`);
	});

	it("keys and what is pasted between them come in order", { timeout: LIMIT_MS }, async () => {
		const pasted = `<ünï ${"0123456789".repeat(300)} 漢字 😀>`;

		await page.mouse.click(pad.x, pad.y);
		await page.keyboard.press("Tab");
		await told.until(({ type }) => type === "focus", "the focus");
		await page.evaluate((text) => navigator.clipboard.writeText(text), pasted);
		await page.keyboard.type("ab");
		await page.keyboard.press("Control+v");
		await page.keyboard.type("cd");
		const heard = await told.until(({ value }) => value?.endsWith("cd"), "the last letter");

		assert.equal(heard.at(-1).value, `ab${pasted}cd`);
		await page.keyboard.press("Control+a");
		await page.keyboard.press("Backspace");
		await told.until(({ value }) => value === "", "an empty field");
	});

	it("what an input method composes comes when it is finished", { timeout: LIMIT_MS }, async () => {
		const client = await context.newCDPSession(page);

		await page.keyboard.type("a");
		await client.send("Input.imeSetComposition", { text: "にほ", selectionStart: 2, selectionEnd: 2 });
		await client.send("Input.imeSetComposition", { text: "にほん", selectionStart: 3, selectionEnd: 3 });
		await client.send("Input.insertText", { text: "日本" });
		await page.keyboard.type("b");
		const heard = await told.until(({ value }) => value?.endsWith("b"), "the last letter");

		assert.deepEqual(heard.map(({ value }) => value), ["a", "a日本", "a日本b"]);
	});
});

describe("a finger on a phone", { concurrency: false }, () => {
	let page, context, pad;

	before(async () => {
		({ page, context, pad } = await facing({ viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true }));
	});
	after(() => context?.close());

	it("a tap is a click", { timeout: LIMIT_MS }, async () => {
		await page.touchscreen.tap(pad.x, pad.y);
		const heard = await told.until(({ type }) => type === "click", "a click");

		assert.deepEqual(heard.map(({ type }) => type), ["mousedown", "mouseup", "click"]);
	});
});
