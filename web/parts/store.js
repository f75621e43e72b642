/*
 * What the dashboard shows, kept while other pages are visited so that coming back shows it at
 * once.
 */
import { signal, batch } from "@preact/signals";
import { get } from "../api.js";

const SITES_FOR_MS = 30000;
const PAGE = 50;

export const sites = signal(null);
export const sessions = signal(null);
export const streams = signal(null);
export const bookings = signal(null);
export const moreBookings = signal(false);

/* When all of it was last fetched, and why the last try failed, if it did. */
export const freshAt = signal(0);
export const staleBecause = signal(null);

let sitesAt = 0;
let older = [];

async function sitesLoad()
{
	if (sites.value && Date.now() - sitesAt < SITES_FOR_MS)
		return sites.value;

	const got = await get("/sites");

	sitesAt = Date.now();
	return got.sites;
}

export async function site(name)
{
	sites.value = await sitesLoad();
	return sites.value.find((one) => one.name === name) ?? null;
}

export async function refresh()
{
	try {
		const [known, { sessions: kept }, { streams: open },
			{ bookings: newest }] = await Promise.all([
			sitesLoad(), get("/sessions"), get("/streams"), get("/bookings",
				{ limit: PAGE }),
		]);
		const last = newest.at(-1)?.id ?? 0;

		batch(() => {
			sites.value = known;
			sessions.value = kept;
			streams.value = open;
			bookings.value = [...newest, ...older.filter((one) => one.id < last)];
			if (!older.length)
				moreBookings.value = newest.length === PAGE;
			freshAt.value = Date.now();
			staleBecause.value = null;
		});
	} catch (error) {
		staleBecause.value = error;
	}
}

/* Older bookings hardly ever change; they are fetched once and kept. */
export async function olderLoad()
{
	const { bookings: got } = await get("/bookings", { before: bookings.value.at(-1).id,
		limit: PAGE });

	older = [...older, ...got];
	batch(() => {
		bookings.value = [...bookings.value, ...got];
		moreBookings.value = got.length === PAGE;
	});
}
