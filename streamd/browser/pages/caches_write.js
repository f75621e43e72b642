/*
 * caches_write: puts into Cache Storage what caches_read described, in the frame where this runs.
 *
 * Called in an isolated world of a blank page that we served ourselves at the frame's origin, before the site's own
 * scripts have ever run in this browser. To check, call caches_read afterwards: equal contents give an equal text.
 *
 * Takes { text } from caches_read, whose header describes the format.
 * Returns (a promise of) { entries }: how many were put there.
 */
async ({ text }) => {
	let entries = 0;

	const bytes = (text64) => Uint8Array.from(atob(text64), (c) => c.charCodeAt(0));
	const bodyless = (status) => [204, 205, 304].includes(status);

	for (const [name, list] of JSON.parse(text)) {
		const cache = await caches.open(name);
		for (const [url, asked, status, statusText, headers, body] of list) {
			await cache.put(new Request(url, { headers: asked }),
				new Response(bodyless(status) ? null : bytes(body), { status, statusText, headers }));
			entries++;
		}
	}
	return { entries };
}
