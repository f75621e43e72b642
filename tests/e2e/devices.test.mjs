/*
 * A device's session beside the one that jobs run on: made by a sign-in that says so, listed, used by nobody's bookings, and forgotten
 * without touching the other.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { Person } from "../../demo/person.mjs";
import { openViewer, openWindow } from "../../demo/viewer.mjs";
import { day, LIMIT_MS, startRig } from "./rig.mjs";

let rig, alice;

const kinds = async () => (await alice.sessions()).map(({ kind, fingerprint }) => [kind, fingerprint].filter(Boolean).join(" ")).sort();

before(async () => {
	rig = await startRig();
	alice = await rig.login("alice");
});
after(() => rig?.stop());

describe("a device's session", { concurrency: false }, () => {
	it("is asked for by kind and fingerprint, and not by the vault's own names", async () => {
		for (const wish of [{ kind: "device" }, { fingerprint: "x" }, { kind: "device", fingerprint: "bg-x" },
			{ kind: "background", fingerprint: "x" }]) {
			const { status, body } = await alice.call("POST", "/streams", { site: "desk", ...wish });

			assert.deepEqual([status, body.error.field], [400, "fingerprint"]);
		}
	});

	it("is made by a sign-in, and is not the one that jobs run on", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.open({ kind: "device", fingerprint: "laptop" });

		await signIn.atSite();
		await signIn.reaches("saved");
		assert.deepEqual(await kinds(), ["device laptop"]);
		assert.equal((await signIn.show()).fingerprint, "laptop");
		const { id } = await alice.book({ date: day(1), desk: "D-201" });

		assert.match((await alice.bookingIs(id, ["needs_sign_in", "done"])).reason, /no session for Deskwise yet/);
		await alice.savedSignIn();
		assert.equal((await alice.bookingIs(id, ["done"])).outcome, "booked");
		assert.deepEqual(await kinds(), ["background", "device laptop"]);
	});

	it("stands on the dashboard, and is forgotten there", { timeout: LIMIT_MS }, async () => {
		const viewer = await openViewer();

		try {
			const person = new Person(await openWindow(viewer), rig.url);

			await person.signInToStead({ name: "alice", password: rig.password });
			await person.card("Deskwise").getByText("of the device laptop").waitFor();
			await person.card("Deskwise").getByRole("button", { name: /^Forget .*, laptop$/ }).click();
			await person.page.getByText("Bookings do not need it").waitFor();
			await person.page.getByRole("button", { name: "Forget", exact: true }).last().click();
			await person.card("Deskwise").getByText("of the device laptop").waitFor({ state: "detached" });
		} finally {
			await viewer.close();
		}
		assert.deepEqual(await kinds(), ["background"]);
	});

	it("goes with all devices', by its person or steadctl; the background one stays until that is confirmed", { timeout: LIMIT_MS },
		async () => {
			for (const fingerprint of ["laptop", "phone"]) {
				const signIn = await alice.open({ kind: "device", fingerprint });

				await signIn.atSite();
				await signIn.reaches("saved");
			}
			assert.deepEqual(await kinds(), ["background", "device laptop", "device phone"]);
			assert.equal((await alice.must("DELETE", "/sessions", { fingerprint: "phone" })).forgotten, 1);
			assert.deepEqual(await kinds(), ["background", "device laptop"]);
			const { user } = JSON.parse(await rig.stack.steadctl("session", "list", "--json")).sessions[0];

			await rig.stack.steadctl("session", "forget-devices", "--user", String(user));
			assert.deepEqual(await kinds(), ["background"]);
			assert.equal((await alice.must("DELETE", "/sessions", {})).forgotten, 0);
			const [{ id }] = await alice.sessions();

			assert.equal((await alice.call("DELETE", `/sessions/${id}`, {})).body.error.field, "confirm_protected");
			await assert.rejects(rig.stack.steadctl("session", "forget", String(id)), /confirm/);
			await rig.stack.steadctl("session", "forget", String(id), "--confirm_protected");
			assert.deepEqual(await kinds(), []);
			assert.match(await rig.stack.steadctl("vault", "audit"), /session_delete_devices/);
			assert.match(await rig.stack.steadctl("vault", "accept-restore"), /accepted/);
		});
});
