/*
 * Debian's DokuWiki, unmodified, at https://wiki.test: its code from /usr/share/dokuwiki on PHP's built-in web server,
 * its settings, accounts and pages in a directory of the test's, and TLS in front of it.
 *
 *	const wiki = await startWiki({ dir, people: [{ login: "pat", password: "..." }] });
 *	wiki.settings                         { pin, trusted_key }: what the daemons must be told of it
 *	await wiki.page("rooms:blue")         the page's text as DokuWiki keeps it; null if there is none
 *	await wiki.write("rooms:blue", text)  somebody else's page
 *	await wiki.forget()                   every sign-in of everybody is over
 *	await wiki.stop()
 *
 * dir must exist. It is closed to strangers, as a team's wiki is.
 */
import { execFile } from "node:child_process";
import { createServer as createHttpsServer } from "node:https";
import { request } from "node:http";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { Process } from "../../../demo/process.mjs";
import { certificateOf } from "../../sites/certificate.mjs";

const run = promisify(execFile);
export const HOST = "wiki.test";
const CODE = "/usr/share/dokuwiki";
const ADD_USER = fileURLToPath(new URL("add_user.php", import.meta.url));
const DEBIANS_SETTINGS = "/etc/dokuwiki";
/* What the package keeps there for the wiki that it sets up itself. */
const OF_DEBIANS_OWN_WIKI = ["local.php", "acl.auth.php", "users.auth.php"];

const LOCAL = (dir) => `<?php
$conf['title'] = 'The team\\'s wiki';
$conf['useacl'] = 1;
$conf['superuser'] = '@admin';
$conf['disableactions'] = 'register';
$conf['savedir'] = '${dir}/data';
`;
const NOT_FOR_THE_WEB = "# NAME\n# <?php exit()?>\n";
const CLOSED = "*\t@ALL\t0\n*\t@user\t8\n";

function listen(server, port = 0)
{
	return new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen(port, "127.0.0.1", () => resolve(server.address().port));
	});
}

async function freePort()
{
	const server = createServer();
	const port = await listen(server);

	await new Promise((done) => server.close(done));
	return port;
}

/* Every request goes on to PHP, which is told, as behind any such front, that the visitor came by HTTPS. */
function forward(req, res, port)
{
	const headers = { ...req.headers, "x-forwarded-proto": "https" };
	const onward = request({ host: "127.0.0.1", port, path: req.url, method: req.method, headers, agent: false },
		(answer) => {
			res.writeHead(answer.statusCode, answer.rawHeaders);
			pipeline(answer, res, () => {});
		});

	onward.on("error", () => {
		if (!res.headersSent)
			res.writeHead(502);
		res.end();
	});
	pipeline(req, onward, () => {});
}

class Wiki {
	constructor(dir)
	{
		this.dir = dir;
		this.conf = join(dir, "conf");
	}

	#php(...args)
	{
		return ["-d", `auto_prepend_file=${join(this.dir, "prepend.php")}`,
			"-d", `session.save_path=${join(this.dir, "php")}`, "-d", "display_errors=stderr", ...args];
	}

	async #directories()
	{
		for (const name of ["conf", "php", ...["attic", "cache", "index", "locks", "log", "media", "media_attic",
			"media_meta", "meta", "pages", "tmp"].map((one) => `data/${one}`)])
			await mkdir(join(this.dir, name), { recursive: true, mode: 0o700 });
	}

	async #settings()
	{
		for (const name of await readdir(DEBIANS_SETTINGS))
			if (!OF_DEBIANS_OWN_WIKI.includes(name))
				await symlink(join(DEBIANS_SETTINGS, name), join(this.conf, name));
		await writeFile(join(this.conf, "local.php"), LOCAL(this.dir));
		await writeFile(join(this.conf, "acl.auth.php"), NOT_FOR_THE_WEB.replace("NAME", "acl.auth.php") + CLOSED);
		await writeFile(join(this.conf, "users.auth.php"), NOT_FOR_THE_WEB.replace("NAME", "users.auth.php"));
		await writeFile(join(this.dir, "prepend.php"), `<?php define('DOKU_CONF', '${this.conf}/');\n`);
	}

	/* By DokuWiki's own functions, which choose the hash. */
	async #account({ login, password })
	{
		await run("php", this.#php(ADD_USER, login, password));
	}

	async #serve()
	{
		const port = await freePort();
		const { cert, key, spki } = certificateOf(this.dir, [HOST]);

		this.server = new Process("php", { program: "php", log: join(this.dir, "php.log"), ready: /started$/,
			args: this.#php("-S", `127.0.0.1:${port}`, "-t", CODE) });
		await this.server.start();
		this.front = createHttpsServer({ cert, key }, (req, res) => forward(req, res, port));
		this.settings = { pin: `${HOST}=127.0.0.1:${await listen(this.front)}`, trusted_key: spki };
	}

	async start(people)
	{
		await this.#directories();
		await this.#settings();
		for (const person of people)
			await this.#account(person);
		await this.#serve();
	}

	#path(id)
	{
		return `${join(this.dir, "data/pages", ...id.split(":"))}.txt`;
	}

	page(id)
	{
		return readFile(this.#path(id), "utf8").catch((error) => {
			if (error.code !== "ENOENT")
				throw error;
			return null;
		});
	}

	/* How often it has been saved by somebody through DokuWiki. */
	async saves(id)
	{
		const path = `${join(this.dir, "data/meta", ...id.split(":"))}.changes`;
		const text = await readFile(path, "utf8").catch(() => "");

		return text.split("\n").filter(Boolean).length;
	}

	async write(id, text)
	{
		await mkdir(join(this.#path(id), ".."), { recursive: true });
		await writeFile(this.#path(id), text);
	}

	/* Without the sessions, and with another key for the cookies, nothing that a browser holds is of any use. */
	async forget()
	{
		for (const name of await readdir(join(this.dir, "php")))
			await rm(join(this.dir, "php", name));
		for (const name of ["_htcookiesalt", "_htcookiesalt2"])
			await rm(join(this.dir, "data/meta", name), { force: true });
	}

	async stop()
	{
		this.front?.closeAllConnections();
		this.front?.close();
		await this.server?.stop();
	}
}

export async function startWiki({ dir, people })
{
	const wiki = new Wiki(dir);

	try {
		await wiki.start(people);
	} catch (error) {
		await wiki.stop();
		throw error;
	}
	return wiki;
}
