/* Recipes that are loaded anew while Stead works: by steadctl, and by SIGHUP as systemctl reload sends it. */
import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { becomes, LIMIT_MS, startRig } from "./rig.mjs";

let rig, alice, path, original;

const titles = async () => (await alice.must("GET", "/sites")).sites.map(({ title }) => title);
const reload = () => rig.steadctl("site", "reload");

async function change(edit)
{
	const recipe = JSON.parse(original);

	edit(recipe);
	await writeFile(path, JSON.stringify(recipe));
}

before(async () => {
	rig = await startRig();
	alice = await rig.login("alice");
	path = join(rig.stack.dir, "recipes/desk.json");
	original = await readFile(path, "utf8");
});
after(() => rig?.stop());

describe("a recipe", { concurrency: false }, () => {
	it("that has changed serves new work, and open work ends with the one it began with", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.openAtSso();

		await change((recipe) => {
			recipe.title = "Desks anew";
			recipe.signed_in.url = ["https://nowhere.test/"]; /* by which it would never end */
		});
		const said = await reload();

		assert.deepEqual(Object.keys(said).sort(), ["botd", "streamd"]);
		assert.deepEqual([said.streamd, said.botd].map(({ troubles }) => troubles), [[], []]);
		assert.ok((await titles()).includes("Desks anew"));
		await signIn.passwordTyped();
		await signIn.codeTyped();
		await signIn.reaches("saved");
		await writeFile(path, original);
		await reload();
		assert.ok(!(await titles()).includes("Desks anew"));
	});

	it("that is wrong is named, and the one from before stays in force", { timeout: LIMIT_MS }, async () => {
		const was = await titles();

		await writeFile(path, original.replace(/"title"\s*:/, "\"titel\":"));
		const said = await reload();

		for (const { troubles: [{ trouble }], recipes } of [said.streamd, said.botd]) {
			assert.match(trouble, /desk\.json:\d+: .*titel.*; what it was before stays in force/);
			assert.ok(recipes > 0);
		}
		assert.deepEqual(await titles(), was);
		assert.equal((await alice.open({ connect: false })).id.length > 0, true);
		await alice.closeAll();
		assert.match(JSON.stringify(await rig.status()), /titel/);
		await writeFile(path, original);
		await reload();
		assert.doesNotMatch(JSON.stringify(await rig.status()), /titel/);
	});

	it("that is gone serves nobody any more, also when the daemons are only told by a signal", { timeout: LIMIT_MS }, async () => {
		await rm(path);
		for (const name of ["streamd", "botd"])
			process.kill(rig.daemon(name).pid, "SIGHUP");
		await becomes(async () => !(await titles()).includes(JSON.parse(original).title), LIMIT_MS, "botd still offers the site");
		const refused = await becomes(async () => {
			const { status, body } = await alice.call("POST", "/streams", { site: "desk" });

			if (status === 200)
				await alice.must("POST", `/streams/${body.id}/close`, {});
			return status === 200 ? null : body;
		}, LIMIT_MS, "streamd still opens the site");

		assert.match(refused.error.message, /There is no recipe for the site "desk"/);
		await writeFile(path, original);
		await reload();
		assert.ok((await titles()).includes(JSON.parse(original).title));
	});

	it("is loaded anew by somebody, who is written down", async () => {
		const { entries } = await rig.steadctl("booking", "audit");

		assert.ok(entries.some(({ event, detail }) => event === "steadctl" && detail === "botd_reload"), JSON.stringify(entries));
	});
});
