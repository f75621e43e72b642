import { watch } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";

/* Resolves when there is a file of that name in the directory; rejects after timeout_ms. */
export async function fileAppears(directory, name, timeout_ms = 20_000)
{
	const abort = new AbortController();
	let timer;

	try {
		await new Promise((resolve, reject) => {
			const look = () => access(join(directory, name)).then(resolve, () => {});

			timer = setTimeout(() => reject(new Error(`${join(directory, name)} did not appear within ${timeout_ms / 1000} s.`)),
				timeout_ms);
			watch(directory, { signal: abort.signal }, look).on("error", reject);
			look();
		});
	} finally {
		clearTimeout(timer);
		abort.abort();
	}
}
