/*
 * A site that a test serves itself, beside the stand-ins: at https://HOST, with a recipe for each page at which a sign-in
 * is to begin. streamd is started anew, for it reads recipes and the address as it starts.
 *
 *	const site = await startOwnSite(rig, "asks.test", { asks: "/", twice: "/twice" }, (request, response) => ...);
 *	await alice.open({ site: "twice" });
 *
 * hosts: others that the recipes allow, each with its address and port; true: this server answers; null: it is looked up.
 * change(name, recipe): what one of them has besides.
 *	site.stop();
 */
import { once } from "node:events";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { join } from "node:path";

function recipe(host, path, hosts)
{
	return { title: host, home: `https://${host}/`, sign_in: { url: `https://${host}${path}` }, hosts: [host, ...Object.keys(hosts)],
		private_addresses: ["127.0.0.1"], signed_in: { url: [`https://${host}/signed-in`] },
		settle: { quiet_ms: 500 },
		probe: { url: `https://${host}/who`, in: { at: { css: "#who" } }, out: { url: [`https://${host}/out`] },
			second_look_ms: 500 } };
}

export async function startOwnSite(rig, host, pages, respond, { hosts = {}, change = () => {} } = {})
{
	const of = (name) => readFile(join(rig.stack.dir, "sites", name));
	const server = createServer({ key: await of("leaf.key"), cert: await of("leaf.pem") }, respond).listen(0, "127.0.0.1");

	await once(server, "listening");
	const own = `127.0.0.1:${server.address().port}`;

	for (const [name, path] of Object.entries(pages)) {
		const one = recipe(host, path, hosts);

		change(name, one);
		await writeFile(join(rig.stack.dir, `recipes/${name}.json`), JSON.stringify(one));
	}
	await appendFile(join(rig.stack.dir, "etc/stead.conf"),
		Object.entries({ [host]: own, ...hosts }).filter(([, where]) => where !== null)
			.map(([name, where]) => `pin = ${name}=${where === true ? own : where}\n`).join(""));
	await rig.restart("streamd");
	return {
		stop()
		{
			server.closeAllConnections();
			server.close();
		},
	};
}
