/*
 * A wiki and all of Stead, to write a first recipe with; docs/first-recipe.md is the way through.
 *
 *	node tests/e2e/dokuwiki/serve.mjs DIRECTORY
 *
 * DIRECTORY is where the recipes are. Whenever one is saved it is checked; once all are right, the two daemons that
 * read them start again. Ctrl-C ends everything.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { watch } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";

import { startStack } from "../../../demo/stack.mjs";
import { startWiki } from "./wiki.mjs";

const READERS = ["streamd", "botd"];

/* An editor may write a file in several strokes: it is looked at when none came for so long. */
const PAUSE_MS = 300;

async function recipes(directory)
{
	const names = (await readdir(directory)).filter((name) => /^[^.].*\.json$/.test(name)).sort();

	return names.map((name) => join(directory, name));
}

async function contents(paths)
{
	return JSON.stringify(await Promise.all(paths.map((path) => readFile(path, "utf8"))));
}

/* Whether all are right; what stead-recipe says of them is shown. */
function checked(stead, paths)
{
	return new Promise((done) => {
		execFile(join(stead.programs, "stead-recipe"), ["check", ...paths], (error, said, complaints) => {
			process.stdout.write(complaints + said);
			done(!error);
		});
	});
}

/* The name wiki.test is nobody's, and its certificate is of this minute. */
function ownBrowser({ settings })
{
	const at = settings.pin.split("=")[1];

	return `chromium --user-data-dir=$(mktemp -d) --host-resolver-rules='MAP wiki.test:443 ${at}' `
		+ `--ignore-certificate-errors-spki-list=${settings.trusted_key} https://wiki.test/`;
}

class Follower {
	#known = "[]";

	constructor(stead, directory)
	{
		this.stead = stead;
		this.directory = directory;
	}

	async look()
	{
		const paths = await recipes(this.directory);
		const now = await contents(paths);

		if (now === this.#known)
			return;
		this.#known = now;
		if (paths.length && !await checked(this.stead, paths))
			return;
		for (const name of READERS)
			await this.stead.daemon(name).restart();
		console.log("In force.");
	}

	/* One look after another, however often something is written. */
	follow()
	{
		let timer, looking = Promise.resolve();

		watch(this.directory, () => {
			clearTimeout(timer);
			timer = setTimeout(() => {
				looking = looking.then(() => this.look()).catch((error) => console.error(error.message));
			}, PAUSE_MS);
		});
	}
}

async function main(directory)
{
	await recipes(directory).catch((error) => {
		throw new Error(`The recipes' directory ${directory} cannot be read (${error.code}); make it first.`);
	});
	const dir = await mkdtemp("/tmp/stead-");
	const pat = { login: "pat", password: randomBytes(9).toString("base64url") };
	let wiki, stead;

	try {
		await mkdir(join(dir, "wiki"));
		wiki = await startWiki({ dir: join(dir, "wiki"), people: [pat] });
		stead = await startStack({ dir, settings: {
			shared: { recipes: directory, ...wiki.settings },
		} });

		const follower = new Follower(stead, directory);

		console.log(`Stead     ${stead.url}   name ${stead.admin.name}   password ${stead.admin.password}`);
		console.log(`The wiki  https://wiki.test/   username ${pat.login}   password ${pat.password}`);
		console.log(`Recipes   ${directory}   Ctrl-C ends everything.`);
		console.log(`A browser of your own that finds the wiki:\n  ${ownBrowser(wiki)}\n`);
		await follower.look();
		follower.follow();
		await new Promise((done) => {
			for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
				process.once(signal, done);
		});
	} finally {
		await stead?.stop();
		await wiki?.stop();
		await rm(dir, { recursive: true, force: true });
	}
}

if (!process.argv[2]) {
	console.error("Usage: node tests/e2e/dokuwiki/serve.mjs DIRECTORY");
	process.exit(2);
}
main(resolve(process.argv[2])).then(() => process.exit(0), (error) => {
	console.error(error.message);
	process.exit(1);
});
