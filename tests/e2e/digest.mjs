/*
 * A server's half of HTTP Digest (RFC 7616), with SHA-256 and qop=auth: what the password is shows in no request.
 *
 *	const digest = new Digest("The vault", "alice", "a:b");
 *	if (!digest.accepts(request))
 *		response.writeHead(401, { "WWW-Authenticate": digest.challenge() })
 */
import { createHash, randomBytes } from "node:crypto";

const hash = (...parts) => createHash("sha256").update(parts.join(":")).digest("hex");

export class Digest {
	accepted = 0;
	#counts = new Map(); /* nonce → the last nc that came with it */

	constructor(realm, name, password)
	{
		Object.assign(this, { realm, name, secret: hash(name, realm, password) });
	}

	challenge()
	{
		const nonce = randomBytes(16).toString("hex");

		this.#counts.set(nonce, 0);
		return `Digest realm="${this.realm}", qop="auth", algorithm=SHA-256, nonce="${nonce}", opaque="o"`;
	}

	/* What is repeated with the same count is somebody else's. */
	accepts({ method, url, headers })
	{
		const said = Object.fromEntries([...(headers.authorization ?? "").matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)]
			.map(([, key, quoted, plain]) => [key, quoted ?? plain]));
		const count = parseInt(said.nc, 16), last = this.#counts.get(said.nonce);
		const right = hash(this.secret, said.nonce, said.nc, said.cnonce, said.qop, hash(method, said.uri));

		if (last === undefined || !(count > last) || said.username !== this.name || said.uri !== url || said.response !== right)
			return false;
		this.#counts.set(said.nonce, count);
		this.accepted++;
		return true;
	}
}
