/* A dozen bookings under the fire of tests/soak/bookings.mjs, which has thousands. */
import { it } from "node:test";

import { assertSound, bookUnderFire } from "../soak/bookings.mjs";

it("bookings under the fire of SIGKILL: none twice, none lost, none told wrongly", { timeout: 1_500_000 }, async (t) => {
	const found = await bookUnderFire({ count: 12, seed: 8, confirm_ms: 25_000, tell: (words) => t.diagnostic(words) });

	t.diagnostic(JSON.stringify(found));
	assertSound(found);
});
