/*
 * caches_read: what Cache Storage holds for the frame that this runs in and no site would give again: answers that its
 * scripts have made themselves, and data that they have kept; not the pages, scripts and pictures that are fetched anew.
 *
 * Called in an isolated world of the frame, as storage_read is.
 *
 * Takes { maxBytes, mostBytes }: the text may not grow past about maxBytes; an answer of more than mostBytes is left out.
 * Returns (a promise of) { text, notPortable }:
 *   text         ASCII only, the same for equal contents; "[]" for none. To be kept as it is and given to caches_write.
 *   notPortable  [{ cache, url, reason }]: what scripts have made and could not be taken: "too large", "no access: NAME",
 *                "held" (Cache Storage has not answered for two seconds)
 *
 * The text is a list of caches, in their order: [NAME, [[URL, [[header, value], ...], STATUS, STATUSTEXT,
 * [[header, value], ...], BASE64], ...]]; the first headers are the request's.
 */
async ({ maxBytes, mostBytes }) => {
	const notPortable = [];
	const WAIT_MS = 2000;
	const DATA = /^(application\/([\w.-]+\+)?(json|jwt|xml)|text\/(plain|xml))\b/i;
	let used = 0;

	if (!self.caches)
		return { text: "[]", notPortable };
	const soon = async (promise) => {
		let timer;
		const late = new Promise((resolve, reject) => {
			timer = setTimeout(() => reject(new Error("held")), WAIT_MS);
		});
		try {
			return await Promise.race([promise, late]);
		} finally {
			clearTimeout(timer);
		}
	};
	const ascii = (text) => text.replace(/[^\x20-\x7e]/g,
		(c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
	const base64 = (buffer) => {
		const bytes = new Uint8Array(buffer);
		let out = "";
		for (let i = 0; i < bytes.length; i += 8190)
			out += btoa(String.fromCharCode(...bytes.subarray(i, i + 8190)));
		return out;
	};
	const lose = (cache, url, reason) => notPortable.push({ cache: cache.toWellFormed(), url, reason });

	/* An answer that a script has made has no address. */
	const entryText = async (name, request, response) => {
		const made = response.url === "" && response.type === "default";
		if (!made && !(response.ok && DATA.test(response.headers.get("Content-Type") ?? "")))
			return null;
		if (response.headers.get("Vary")?.includes("*"))
			return null; /* nobody finds it again */
		const body = await soon(response.arrayBuffer());
		if (body.byteLength > mostBytes || used + body.byteLength * 4 / 3 > maxBytes) {
			if (made)
				lose(name, request.url, "too large");
			return null;
		}
		const text = ascii(JSON.stringify([request.url, [...request.headers], response.status, response.statusText,
			[...response.headers], base64(body)]));
		used += text.length;
		return text;
	};
	const cacheText = async (name) => {
		const cache = await soon(caches.open(name)), texts = [];
		for (const request of await soon(cache.keys())) {
			const response = await soon(cache.match(request, { ignoreVary: true }));
			const text = response && request.method === "GET" ? await entryText(name, request, response) : null;
			if (text !== null)
				texts.push(text);
		}
		return texts.length ? "[" + ascii(JSON.stringify(name)) + ",[" + texts.join() + "]]" : null;
	};

	const texts = [];
	try {
		for (const name of await soon(caches.keys())) {
			const text = await cacheText(name);
			if (text !== null)
				texts.push(text);
		}
	} catch (e) {
		lose("*", "", e.message === "held" ? "held" : "no access: " + e.name);
	}
	return { text: "[" + texts.join() + "]", notPortable };
}
