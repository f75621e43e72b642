/* Who is signed in to Stead: undefined while that is being asked, null when nobody is. */
import { signal } from "@preact/signals";
import { get, post, sendAs, whenSignedOut } from "./api.js";
import { Part } from "./parts/part.js";

export const account = signal(undefined);

/* Why the sign-in lies over the page: what Stead said as it refused the page's login; null while it does not. */
export const askingAgain = signal(null);

let waiting = null;

/* What the page holds and is about to send is one person's, so whoever else signs in there begins anew, with nothing of it. */
function admit(found)
{
	if (account.value && account.value.id !== found.id) {
		location.assign("/");
		return;
	}
	account.value = found;
	sendAs(found.id);
	askingAgain.value = null;
	waiting?.resolve(true);
	waiting = null;
}

/* A page whose login has ended stays as it is, under the sign-in: nothing that was typed there is lost. */
async function whoIsThere()
{
	try {
		admit(await get("/account", {}, { ask: false }));
	} catch (error) {
		if (error.status !== 401)
			throw error;
		if (account.value)
			signInAgain(error);
		else
			account.value = null;
	}
	return true;
}

/* Asked until there is an answer. */
export const accountPart = new Part(whoIsThere, Infinity);

/* However many requests fail at once, the person is asked once. */
export function signInAgain(error)
{
	if (!account.value)
		return Promise.resolve(false);
	waiting ??= Promise.withResolvers?.() ?? resolvers();
	askingAgain.value ??= error ?? {};
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
	await post("/login", { name, password }, { ask: false });
	admit(await get("/account", {}, { ask: false, asAnyone: true }));
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
