/*
 * What the dashboard shows, in parts that come from different daemons, so that one that is away takes only its own part along.
 * Kept while other pages are visited so that coming back shows it at once.
 */
import { signal } from "@preact/signals";
import { get } from "../api.js";
import { Part } from "./part.js";

const POLL_MS = 3000;
const SITES_FOR_MS = 30000;
const PLANS_MS = 10000;
const PAGE = 50;

let older = [];
let more = false;

export const sitesPart = new Part(async () => (await get("/sites")).sites, SITES_FOR_MS);
export const sessionsPart = new Part(sessionsLoad, POLL_MS);
export const streamsPart = new Part(async () => (await get("/streams")).streams, POLL_MS);
export const plansPart = new Part(async () => (await get("/plans", { limit: 500 })).plans, PLANS_MS);
export const bookingsPart = new Part(bookingsLoad, POLL_MS);

/* The list, or null while it has not come. */
export const sites = sitesPart.value;

/* What people call a site; its recipe's name only where its title cannot be had. */
export function siteTitle(name)
{
	return sites.value?.find((one) => one.name === name)?.title ?? (sites.value || sitesPart.trouble.value ? name : "the site");
}

/* Why the vault opens nothing; null if it does. */
export const vaultTrouble = signal(null);

export async function site(name)
{
	if (Date.now() - sitesPart.freshAtMs.value > SITES_FOR_MS)
		await sitesPart.refresh();
	if (!sites.value)
		throw sitesPart.trouble.value;
	return sites.value.find((one) => one.name === name) ?? null;
}

async function sessionsLoad()
{
	const { sessions, trouble = null } = await get("/sessions");

	vaultTrouble.value = trouble;
	return sessions;
}

/* { list, more }: newest first, with those that were asked for; whether there are older ones. */
async function bookingsLoad()
{
	const { bookings: newest } = await get("/bookings", { limit: PAGE });
	const last = newest.at(-1)?.id ?? 0;

	if (!older.length)
		more = newest.length === PAGE;
	return { list: [...newest, ...older.filter((one) => one.id < last)], more };
}

/* Older bookings hardly ever change; they are fetched once and kept. */
export async function olderLoad()
{
	const { list } = bookingsPart.value.value;
	const { bookings: got } = await get("/bookings", { before: list.at(-1).id, limit: PAGE });

	older = [...older, ...got];
	more = got.length === PAGE;
	bookingsPart.value.value = { list: [...list, ...got], more };
}
