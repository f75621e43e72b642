/* A dozen bookings under the fire of tests/soak/bookings.mjs, which has thousands. */
import assert from "node:assert/strict";
import { it } from "node:test";

import { assertSound, bookUnderFire } from "../soak/bookings.mjs";
import { judge } from "../soak/judge.mjs";

it("bookings under the fire of SIGKILL: none twice, none lost, none told wrongly", { timeout: 1_500_000 }, async (t) => {
	const found = await bookUnderFire({ count: 12, seed: 8, confirm_ms: 25_000, tell: (words) => t.diagnostic(words) });

	t.diagnostic(JSON.stringify(found));
	assertSound(found);
});

it("unconfirmed and never submitted is only what was killed between its intent and its first byte", () => {
	const site = { asked: [], bookings: [] };
	const verdict = (row, fallen, { asked, bookings } = site) => judge([{ id: 1, desk: "D-1", space: 1, date: "2030-01-01" }],
		{ 1: { outcome: "unconfirmed", reason: "It is not there", ...row } }, { asked, bookings }, fallen);
	const intended = { intent_ms: 1000, known_ms: 2000 };

	for (const fits of [{ name: "botd", from: 1100, to: 1200 }, { name: "Chromium", from: 900, to: 1000 }, { name: "launcher", from: 2000, to: 2100 }])
		assert.deepEqual(verdict(intended, [fits]), { bookings: 1, booked: 0, unconfirmed_unsent: 1, unconfirmed_dark: 0, wrong: [] });
	for (const [row, fallen, why] of [[{ intent_ms: null, known_ms: null }, [{ name: "botd", from: 0, to: 9999 }], /it had no intent/],
		[intended, [], /nobody in its way was killed/],
		[intended, [{ name: "botd", from: 500, to: 900 }, { name: "streamd", from: 2100, to: 2200 }], /nobody in its way was killed/],
		[intended, [{ name: "authd", from: 1100, to: 1200 }, { name: "sessiond", from: 1100, to: 1200 }], /nobody in its way was killed/]])
		assert.match(verdict(row, fallen).wrong[0], why);
});
