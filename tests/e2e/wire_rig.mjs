/*
 * All of Stead beside a site that answers badly (tests/sites/wire.mjs), for the tests of one table: {answers} x {how it is
 * sent} x {who is killed at the act}. `make test` takes each value once, `make soak` (STEAD_WIRE=whole) all of it.
 *
 *	const wire = await startWireRig();
 *	const asked = await wire.book(wire.lanes[0], { kind: "form", answer: "421" });
 *	await wire.isTold(asked);
 *	await wire.stop();
 *
 * A lane is a site of its own, so that lanes go side by side, each in its own browser.
 */
import assert from "node:assert/strict";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { startWire, wireRecipe } from "../sites/wire.mjs";
import { becomes, startRig } from "./rig.mjs";

export const WHOLE = process.env.STEAD_WIRE === "whole";
export const ROW_MS = 400_000;
const LANE_MS = 5 * ROW_MS; /* with those before it in its lane */
const LANES = 4;
const ASK_MS = 1000;

class WireRig {
	lanes = Array.from({ length: LANES }, (_, i) => `wire${i}`);
	slow = "wireslow"; /* where whoever is slow keeps nobody waiting */
	http2 = Array.from({ length: LANES }, (_, i) => `wireh${i}`); /* which would speak it */
	#rows = 0;
	#asked = Promise.resolve();

	constructor(rig)
	{
		this.rig = rig;
	}

	async start(sites)
	{
		const { rig } = this;
		const of = (name) => readFile(join(rig.stack.dir, "sites", name));
		const pins = [];

		this.wire = await startWire({ key: await of("leaf.key"), cert: await of("leaf.pem") });
		for (const name of sites) {
			const port = this.http2.includes(name) ? this.wire.portOfHttp2 : this.wire.port;

			await writeFile(join(rig.stack.dir, `recipes/${name}.json`), JSON.stringify(wireRecipe(`${name}.test`)));
			const ports = { "": port, x: port, plain: this.wire.portOfPlain, closed: 1 };

			pins.push(...Object.entries(ports).map(([before, at]) => `pin = ${before}${name}.test=127.0.0.1:${at}\n`));
		}
		await appendFile(join(rig.stack.dir, "etc/stead.conf"), pins.join(""));
		await appendFile(join(rig.stack.dir, "etc/botd.conf"), `workers = ${sites.length}\n`);
		await Promise.all(["streamd", "botd"].map((name) => rig.restart(name)));
		this.alice = await rig.login("alice");
		await Promise.all([0, 1].map((half) => this.#signIn(sites.filter((_, i) => i % 2 === half))));
		return this;
	}

	/* One after another, for a person may have two open. */
	async #signIn(sites)
	{
		for (const site of sites)
			await (await this.alice.open({ site })).reaches("saved");
	}

	/* All rows ask at once, and nginx lets an address have a hundred connections. */
	#inTurn(ask)
	{
		const asked = this.#asked.then(ask);

		this.#asked = asked.catch(() => {});
		return asked;
	}

	/* The whole table is more than a person may ask for within a minute; the answer says how long to wait. */
	async #post(body)
	{
		for (;;) {
			const { status, headers, body: answer } = await this.alice.call("POST", "/bookings", body);

			if (status !== 429 || !headers["retry-after"]) {
				assert.ok(status >= 200 && status < 300, `POST /bookings answered ${status}: ${JSON.stringify(answer)}`);
				return answer;
			}
			await sleep(1000 * headers["retry-after"]);
		}
	}

	/* A row of the table. poll: what the page does every 30 ms: "poll" asks for something, "beat" posts it, "ping" says it over a WebSocket. */
	async book(site, { kind, answer, poll = "", action = answer === "never" || poll === "beat" ? "hurry" : "act" })
	{
		const row = `row ${this.#rows += 1} ${kind} ${answer}`;
		const { booking } = await this.#inTurn(() => this.#post({ key: row.replace(/\W+/g, "-"), site, action,
			inputs: { row, kind, answer, ...(poll ? { poll } : {}) } }));

		return { id: booking.id, row, host: `${site}.test`, answer };
	}

	async #log(id)
	{
		return (await this.alice.must("GET", `/bookings/${id}/log?after=0`)).lines.map(({ text }) => text).join("\n");
	}

	async #done({ id, row })
	{
		try {
			return await this.alice.bookingIs(id, ["done"], LANE_MS);
		} catch (error) {
			throw new Error(`${error.message}\n${row} came ${this.wire.count(row)} times.\n${await this.#log(id)}`);
		}
	}

	/*
	 * No browser speaks HTTP/2, where it sends again on the same connection, which nobody outside it sees. At most one came, and what Stead says of it is so: booked if it stands in the site's list, and else, if anything came,
	 * not known. sent: one came.
	 */
	async isTold(asked, { sent = true } = {})
	{
		const { row, host } = asked, { wire } = this;
		const done = await this.#done(asked);
		const said = `${row}: ${done.outcome}, ${done.reason}\n${await this.#log(asked.id)}`;

		assert.equal(wire.streams, 0, `a browser speaks HTTP/2. ${said}`);
		assert.ok(wire.count(row) <= 1, `it was sent ${wire.count(row)} times. ${said}`);
		if (sent)
			assert.equal(wire.count(row), 1, said);
		if (wire.booked(host, row))
			assert.equal(done.outcome, "booked", said);
		else if (wire.count(row))
			assert.equal(done.outcome, "unconfirmed", said);
		else
			assert.notEqual(done.outcome, "booked", said);
		return { ...done, said };
	}

	/* Nothing of its first try came, and the next is not waited for. */
	async isTriedAgain(asked)
	{
		const said = await becomes(async () => {
			const log = await this.#log(asked.id);

			return log.includes("It is tried again in ") && log;
		}, ROW_MS, `${asked.row} is not tried again.`, ASK_MS);

		await this.alice.must("POST", `/bookings/${asked.id}/cancel`, {});
		assert.equal(this.wire.count(asked.row), 0, said);
		return said;
	}

	async stop()
	{
		this.wire?.stop();
		await this.rig.stop();
	}
}

/* which(rig): the sites that are signed in to. */
export async function startWireRig(which)
{
	const wire = new WireRig(await startRig());

	try {
		return await wire.start(which(wire));
	} catch (error) {
		await wire.stop();
		throw error;
	}
}
