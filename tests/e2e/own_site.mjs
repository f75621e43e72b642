/*
 * A site that a test serves itself, beside the stand-ins: at https://HOST, with a recipe for each page at which a sign-in
 * is to begin. streamd is started anew, for it reads recipes and the address as it starts.
 *
 *	const site = await startOwnSite(rig, "asks.test", { asks: "/", twice: "/twice" }, (request, response) => ...);
 *	await alice.open({ site: "twice" });
 *	site.stop();
 */
import { once } from "node:events";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { join } from "node:path";

function recipe(host, path)
{
	return { title: host, home: `https://${host}/`, sign_in: { url: `https://${host}${path}` }, hosts: [host],
		private_addresses: ["127.0.0.1"], signed_in: { url: [`https://${host}/signed-in`] },
		probe: { url: `https://${host}/who`, in: { at: { css: "#who" } }, out: { url: [`https://${host}/out`] } } };
}

export async function startOwnSite(rig, host, pages, respond)
{
	const of = (name) => readFile(join(rig.stack.dir, "sites", name));
	const server = createServer({ key: await of("leaf.key"), cert: await of("leaf.pem") }, respond).listen(0, "127.0.0.1");

	await once(server, "listening");
	for (const [name, path] of Object.entries(pages))
		await writeFile(join(rig.stack.dir, `recipes/${name}.json`), JSON.stringify(recipe(host, path)));
	await appendFile(join(rig.stack.dir, "etc/streamd.conf"), `pin = ${host}=127.0.0.1:${server.address().port}\n`);
	await rig.restart("streamd");
	return {
		stop()
		{
			server.closeAllConnections();
			server.close();
		},
	};
}
