/* A name for a request. crypto.randomUUID() is there on https and loopback only. */
export function uuid()
{
	if (crypto.randomUUID)
		return crypto.randomUUID();

	const bytes = crypto.getRandomValues(new Uint8Array(16));

	return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
