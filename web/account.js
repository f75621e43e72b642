/* Who is signed in to Stead: undefined while that is being asked, null when nobody is. */
import { signal } from "@preact/signals";
import { get, post, whenSignedOut } from "./api.js";
import { Part } from "./parts/part.js";

export const account = signal(undefined);

/* True while the sign-in lies over the page because the login has ended. */
export const askingAgain = signal(false);

let waiting = null;

async function whoIsThere()
{
	try {
		account.value = await get("/account", {}, { ask: false });
	} catch (error) {
		if (error.status !== 401)
			throw error;
		account.value = null;
	}
	return true;
}

/* Asked until there is an answer. */
export const accountPart = new Part(whoIsThere, Infinity);

/* However many requests fail at once, the person is asked once. */
export function signInAgain()
{
	if (!account.value)
		return Promise.resolve(false);
	waiting ??= Promise.withResolvers?.() ?? resolvers();
	askingAgain.value = true;
	return waiting.promise;
}

function resolvers()
{
	const made = {};

	made.promise = new Promise((resolve) => {
		made.resolve = resolve;
	});
	return made;
}

export async function signIn(name, password)
{
	const before = account.value;

	await post("/login", { name, password }, { ask: false });
	/* What the page shows belongs to somebody else: begin anew rather than mix two accounts. */
	if (before && before.name !== name) {
		location.assign("/");
		return;
	}
	account.value = await get("/account", {}, { ask: false });
	askingAgain.value = false;
	waiting?.resolve(true);
	waiting = null;
}

/* Loading the page anew forgets everything that it held of the account. */
export async function signOut()
{
	await post("/logout", {}, { ask: false }).catch((error) => {
		if (error.status !== 401)
			throw error;
	});
	location.assign("/");
}

whenSignedOut(signInAgain);
