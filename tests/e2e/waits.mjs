/* Whatever the tests await: with a limit, and a sentence for when that is over. */
import { request as httpRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/* Limits end what hangs, and nothing else: machines differ fivefold in how long a browser takes to start. */
export const WAIT_MS = Number(process.env.STEAD_WAIT_MS ?? 120_000);
export const LIMIT_MS = 300_000; /* of a whole test */
const LOOK_MS = 100;

export function inTime(promise, ms, sentence)
{
	let timer;
	const late = new Promise((_, fail) => {
		timer = setTimeout(() => fail(new Error(typeof sentence === "function" ? sentence() : sentence)), ms);
	});

	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/*
 * For what nobody announces (a process that goes): looks until it is so. most_ms: the pauses grow up to that; a look that asks
 * daemons costs all of them something, and many tests look at once.
 */
export async function becomes(look, ms, sentence, most_ms = LOOK_MS)
{
	const until = Date.now() + ms;

	for (let pause = LOOK_MS;; pause = Math.min(pause * 1.5, most_ms)) {
		const found = await look();

		if (found)
			return found;
		if (Date.now() > until)
			throw new Error(typeof sentence === "function" ? sentence() : sentence);
		await sleep(pause);
	}
}

/* { status, headers, body } of one request; body is the JSON, or the text if it is none. */
export function httpCall(url, { method = "GET", headers = {}, raw, timeout_ms = WAIT_MS } = {})
{
	const { hostname, port, pathname, search } = new URL(url);

	return new Promise((done, failed) => {
		const request = httpRequest({ hostname, port, path: pathname + search, method, headers, agent: false },
			async (response) => {
				let text = "";

				try {
					for await (const piece of response.setEncoding("utf8"))
						text += piece;
				} catch (error) {
					failed(error);
				}
				let body = text;

				try {
					body = JSON.parse(text);
				} catch {
					/* a page */
				}
				done({ status: response.statusCode, headers: response.headers, body });
			});

		request.setTimeout(timeout_ms, () => request.destroy(new Error(`${method} ${pathname} was not answered`)));
		request.on("error", failed);
		request.end(raw);
	});
}
