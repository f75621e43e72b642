/*
 * Makes the document root: node web/vendor.mjs OUTDIR
 *
 * There is no bundler. The libraries' own ES modules are copied from node_modules, and their names
 * in import statements become relative URLs, for the page's CSP forbids an inline import map.
 */
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, posix, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const web = dirname(fileURLToPath(import.meta.url));
const modules = join(dirname(web), "node_modules");

/* What may be imported by name, and where it lies in node_modules. */
const libraries = new Map([
	["preact", "preact/dist/preact.module.js"],
	["preact/hooks", "preact/hooks/dist/hooks.module.js"],
	["htm", "htm/dist/htm.module.js"],
	["@preact/signals", "@preact/signals/dist/signals.module.js"],
	["@preact/signals-core", "@preact/signals-core/dist/signals-core.module.js"],
]);
const licensed = ["preact", "htm", "@preact/signals", "@preact/signals-core"];

if (!existsSync(modules)) {
	console.error("web: the libraries that package-lock.json names are not installed. Run: npm ci (or demo/setup.sh test, which installs everything)");
	process.exit(1);
}

function vendored(name)
{
	return `vendor/${name.replace("@", "").replaceAll("/", "-")}.js`;
}

/*
 * Bare names become URLs relative to the file they stand in; a name that is not vendored is an
 * error, not a 404.
 */
function rewritten(source, path)
{
	const from = posix.dirname(path);

	return source
		.replace(/((?:\bfrom|\bimport)\s*)(["'])([^"'\n]+)\2/g, (all, before, quote,
			name) => {
			if (/^\.{0,2}\//.test(name))
				return all;
			if (!libraries.has(name))
				throw new Error(`${path} imports ${name}, which is not vendored; add it to web/vendor.mjs`);
			const to = posix.relative(from, vendored(name));
			return `${before}${quote}${to.startsWith(".") ? to : `./${to}`}${quote}`;
		})
		.replace(/^\/\/# sourceMappingURL=.*$/gm, "");
}

async function walk(directory)
{
	const found = [];

	for (const entry of await readdir(directory, { withFileTypes: true })) {
		const path = join(directory, entry.name);

		if (entry.isDirectory())
			found.push(...await walk(path));
		else if (/\.(html|css|js|svg)$/.test(entry.name))
			found.push(path);
	}
	return found.sort();
}

async function put(out, path, text)
{
	await mkdir(join(out, posix.dirname(path)), { recursive: true });
	await writeFile(join(out, path), text);
}

/* Every module is named in the page's head, so that the browser fetches all of them at once. */
function preloads(paths)
{
	return paths.map((path) => `<link rel="modulepreload" href="/${path}">`).join("\n");
}

async function licences()
{
	const parts = ["Stead's web page contains these libraries, unchanged but for the names in "
		+ "their imports.\n"];

	for (const name of licensed) {
		const { version } = JSON.parse(await readFile(join(modules, name, "package.json"),
			"utf8"));

		parts.push(`\n==== ${name} ${version}\n\n`, await readFile(join(modules, name,
			"LICENSE"), "utf8"));
	}
	return parts.join("");
}

async function build(out)
{
	const own = (await walk(web)).map((path) => relative(web, path).split(sep).join("/"));
	const scripts = own.filter((path) => path.endsWith(".js"));

	await rm(out, { recursive: true, force: true });
	for (const [name, path] of libraries)
		await put(out, vendored(name), rewritten(await readFile(join(modules, path),
			"utf8"), vendored(name)));
	for (const path of scripts)
		await put(out, path, rewritten(await readFile(join(web, path), "utf8"), path));
	for (const path of own.filter((path) => /\.(css|svg)$/.test(path)))
		await cp(join(web, path), join(out, path));

	const page = await readFile(join(web, "index.html"), "utf8");

	if (!page.includes("<!-- modules -->"))
		throw new Error("web/index.html has lost its <!-- modules --> line; put it back into the head");
	await put(out, "index.html",
		page.replace("<!-- modules -->", preloads([...scripts,
			...[...libraries.keys()].map(vendored)])));
	await put(out, "licences.txt", await licences());
}

const out = process.argv[2] && resolve(process.argv[2]);

/*
 * What lies in the way is removed, so a slip of the finger must not be able to name the sources or
 * a whole tree.
 */
if (!out || process.argv.length > 3 || web.startsWith(out) || (out + sep).startsWith(web + sep)) {
	process.stderr.write("usage: node web/vendor.mjs OUTDIR\n\n"
		+ "OUTDIR is a directory of its own; it is made anew.\n");
	process.exitCode = 64;
} else {
	await build(out);
}
