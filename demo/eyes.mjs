/*
 * Looks at the picture of the remote page, as a person does, who knows nothing of it but what is painted: finds a
 * button by its colour, and tells where it is on the screen.
 */

/* How far a channel may be off: the picture is a JPEG. */
const TOLERANCE = 22;
/* Points are looked at on a grid of so many pixels. */
const GRID = 4;
/* A button, not a logo: at least so many points of the grid. */
const LEAST_POINTS = 200;

/* Runs in Stead's page: which picture is on the canvas, and the box around its largest patch of a colour, if any. */
function largestPatch({ colour, tolerance, grid, least })
{
	const canvas = document.querySelector("canvas");

	if (!canvas?.width || canvas.classList.contains("blank"))
		return { seq: canvas?.dataset.seq };

	const { seq } = canvas.dataset;
	const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
	const width = Math.floor(canvas.width / grid), height = Math.floor(canvas.height / grid);
	const like = (x, y) => {
		const at = (y * grid * canvas.width + x * grid) * 4;

		return colour.every((value, i) => Math.abs(data[at + i] - value) <= tolerance);
	};
	const seen = new Uint8Array(width * height);
	let best = null;

	function patchFrom(start)
	{
		const box = { left: width, top: height, right: 0, bottom: 0, points: 0 };
		const open = [start];

		seen[start] = 1;
		while (open.length) {
			const at = open.pop(), x = at % width, y = (at - x) / width;

			box.points += 1;
			box.left = Math.min(box.left, x);
			box.right = Math.max(box.right, x);
			box.top = Math.min(box.top, y);
			box.bottom = Math.max(box.bottom, y);
			for (const [nx, ny] of [[x - 1, y], [x + 1, y], [x, y - 1], [x, y + 1]]) {
				const next = ny * width + nx;

				if (nx < 0 || ny < 0 || nx >= width || ny >= height || seen[next] || !like(nx, ny))
					continue;
				seen[next] = 1;
				open.push(next);
			}
		}
		return box;
	}

	for (let at = 0; at < width * height; at++) {
		if (seen[at] || !like(at % width, Math.floor(at / width)))
			continue;

		const patch = patchFrom(at);

		if (patch.points >= least && patch.points > (best?.points ?? 0))
			best = patch;
	}
	if (!best)
		return { seq };

	/* Where on the screen: the canvas may be shown larger or smaller than its picture. */
	const shown = canvas.getBoundingClientRect();
	const scale = shown.width / canvas.width * grid;

	return { seq, patch: { x: shown.left + (best.left + best.right + 1) / 2 * scale,
		y: shown.top + (best.top + best.bottom + 1) / 2 * scale,
		width: (best.right - best.left + 1) * scale, height: (best.bottom - best.top + 1) * scale } };
}

/*
 * Waits until the largest patch of that colour (red, green, blue) is one that accept(patch) wants, and resolves to it:
 * { x, y } of its middle on the screen, width, height. Rejects with the sentence after timeout_ms.
 */
export async function see(page, colour, what, { accept = () => true, timeout_ms = 15_000 } = {})
{
	const look = { colour, tolerance: TOLERANCE, grid: GRID, least: LEAST_POINTS };
	const until = Date.now() + timeout_ms;

	while (Date.now() < until) {
		const { seq, patch } = await page.evaluate(largestPatch, look);

		if (patch && accept(patch))
			return patch;
		await anotherThan(seq, page, until);
	}
	throw new Error(`The picture did not show ${what} within ${timeout_ms / 1000} s.`);
}

/* Resolves when another picture than the one that was looked at is painted, or the time is up. */
async function anotherThan(seq, page, until)
{
	await page.waitForFunction((old) => document.querySelector("canvas")?.dataset.seq !== old, seq,
		{ timeout: Math.max(1, until - Date.now()) }).catch(() => {});
}
