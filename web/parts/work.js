/* The queues and the workers, as botd tells them to administrators; and what one of them does with a queue. */
import { get, post } from "../api.js";
import { Part } from "./part.js";
import { sites } from "./store.js";

const POLL_MS = 3000;
const USERS_FOR_MS = 30000;
const NOTHING = { queued: 0, scheduled: 0, running: 0, waiting: 0 };

async function workLoad()
{
	const [{ queues = [] }, { workers = [] }] = await Promise.all([get("/queues"), get("/workers")]);

	return { queues, workers };
}

/* { queues, workers }: from one daemon, so they are away together. */
export const workPart = new Part(workLoad, POLL_MS);

/* Only for their names; without them accounts are told by their numbers. */
export const usersPart = new Part(async () => (await get("/users")).users, USERS_FOR_MS);

export function userName(id)
{
	return usersPart.value.value?.find((user) => user.id === id)?.name ?? `account ${id}`;
}

/* Also those of sites where nothing stands, for they can be paused before something does. */
export function queuesShown({ queues })
{
	const named = new Set(queues.map(({ name }) => name));
	const idle = (sites.value ?? []).filter(({ name }) => !named.has(name)).map(({ name }) => ({ name, ...NOTHING }));

	return [...queues, ...idle].sort((a, b) => a.name.localeCompare(b.name));
}

/* Throws the refusal; what is shown is fetched anew in any case, for what was not answered may have been done. */
export async function queueAct(queue, verb, params = {})
{
	try {
		await post(`/queues/${encodeURIComponent(queue.name)}/${verb}`, params);
	} finally {
		workPart.refresh();
	}
}
