/*
 * Stead's HTTP API. call() answers with the result object or throws a Refusal, whose message is a
 * sentence that can be shown as it is. A call that meets a login that has ended brings up the
 * sign-in and is repeated afterwards.
 */
const BASE = "/api/v1";
const PATIENCE_MS = 30000;
/* Longer than the page waits between two looks, so that one of them tells of whatever was done. */
const IDLE_MS = 15000;

export class Refusal extends Error {
	constructor({ code, message, field, detail, status = 0, retryAfterMs = 0 })
	{
		super(message);
		this.code = code;
		this.detail = detail; /* what an administrator needs beside that */
		this.field = field;
		this.status = status;
		this.retryAfterMs = retryAfterMs;
	}

	/*
	 * The same request may well succeed a moment later, and whether it was carried out is not
	 * known.
	 */
	get passing()
	{
		return this.code === "network" || [502, 503, 504].includes(this.status);
	}
}

let askToSignIn = async () => false;
let sender = null;

/* Whose page it is. Another may have signed in since in the same browser, and what this page sends is not to be done as theirs. */
export function sendAs(account)
{
	sender = account;
}

/* ask(error) resolves to true once the person has signed in again. */
export function whenSignedOut(ask)
{
	askToSignIn = ask;
}

function query(params)
{
	const given = Object.entries(params ?? {}).filter(([, value]) => value !== undefined);

	return given.length ? `?${new URLSearchParams(given)}` : "";
}

async function answer(response)
{
	try {
		return await response.json();
	} catch {
		return null;
	}
}

function refusalOf(response, body)
{
	const error = body?.error ?? {};

	return new Refusal({
		code: error.code ?? "unavailable",
		message: error.message ?? "Stead gave an answer that makes no sense here "
			+ `(status ${response.status}); try again in a moment.`,
		field: error.field,
		detail: error.detail,
		status: response.status,
		retryAfterMs: 1000 * (Number(response.headers.get("Retry-After")) || 0),
	});
}

/*
 * What the page asks for while nobody is there (it looks again every few seconds) must not keep a login from idling out, so
 * it says so.
 */
let acted = performance.now();

for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchmove"])
	addEventListener(kind, () => {
		acted = performance.now();
	}, { capture: true, passive: true });

/* What was sent may have been done, whether its answer comes or not. */
function unanswered(verb, what)
{
	return new Refusal({ code: "network", message: `${what}; look at your connection, ${verb === "GET"
		? "then try again" : "then whether it was done, before you repeat it"}.` });
}

async function send(verb, path, params, asAnyone)
{
	const init = { method: verb, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS), headers: {} };
	let url = BASE + path;
	let response;

	if (verb === "GET") {
		url += query(params);
	} else {
		init.headers["Content-Type"] = "application/json";
		init.body = JSON.stringify(params ?? {});
	}
	if (performance.now() - acted > IDLE_MS)
		init.headers["Stead-Idle"] = "1";
	if (sender !== null && !asAnyone)
		init.headers["Stead-Account"] = String(sender);
	try {
		response = await fetch(url, init);
	} catch (error) {
		throw unanswered(verb, error.name === "TimeoutError" ? "Stead took too long to answer" : "Stead does not answer");
	}

	const body = await answer(response);

	if (response.ok && body === null)
		throw unanswered(verb, "Stead's answer did not come whole");
	if (!response.ok)
		throw refusalOf(response, body);
	return body;
}

/* asAnyone: whoever is signed in, not only whose page it is. */
export async function call(verb, path, params, { ask = true, asAnyone = false } = {})
{
	for (;;) {
		try {
			return await send(verb, path, params, asAnyone);
		} catch (error) {
			if (!ask || error.code !== "not_signed_in" || !await askToSignIn(error))
				throw error;
		}
	}
}

export const get = (path, params, options) => call("GET", path, params, options);
export const post = (path, params, options) => call("POST", path, params, options);
export const remove = (path, params, options) => call("DELETE", path, params, options);
