/* What a card says of a session, by what is known of it at a moment; pure. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { sessionWords } from "../../web/parts/session_words.js";

const NOW = 1_800_000_000_000, SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE;

const badge = (session) => sessionWords({ health: "working", proved_at_ms: NOW - 5 * SECOND, signed_in_at_ms: NOW - HOUR, ...session },
	{ now: NOW }).badge[0];

test("a session works just after it was proved, and then worked so long ago", () => {
	assert.equal(badge({}), "Works");
	assert.equal(badge({ proved_at_ms: NOW - 3 * HOUR, signed_in_at_ms: NOW - 4 * HOUR }), "Worked 3 hours ago");
});

test("one that is as old as the oldest that has ended may have ended, too", () => {
	assert.equal(badge({ proved_at_ms: NOW - 20 * MINUTE, lived_most_ms: 50 * MINUTE }), "May have ended");
	assert.equal(badge({ proved_at_ms: NOW - 20 * MINUTE, lived_most_ms: 2 * HOUR }), "Worked 20 minutes ago");
});

test("one that was proved when it was older than any that has ended has passed no limit", () => {
	assert.equal(badge({ lived_most_ms: 42 * SECOND }), "Works");
	assert.equal(badge({ lived_most_ms: 42 * SECOND, proved_at_ms: NOW - 30 * MINUTE }), "Worked 30 minutes ago");
});

test("one that was left alone as long as others that had ended by then may have ended", () => {
	assert.equal(badge({ ended_unproved_ms: 4 * SECOND }), "May have ended");
	assert.equal(badge({ ended_unproved_ms: 6 * SECOND }), "Works");
});
