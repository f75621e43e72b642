/* Which page is shown: paths of the history API, and the links that lead to them. */
import { signal } from "@preact/signals";

const ROUTES = [
	["dashboard", /^\/$/],
	["sign_in_start", /^\/sites\/(?<site>[^/]+)\/sign-in$/],
	["booking_new", /^\/sites\/(?<site>[^/]+)\/book\/(?<action>[^/]+)$/],
	["stream", /^\/streams\/(?<id>[^/]+)$/],
	["plan_form", /^\/sites\/(?<site>[^/]+)\/plan\/(?<action>[^/]+)$/],
	["plan_form", /^\/plans\/(?<id>[1-9]\d{0,18})\/change$/],
	["plan", /^\/plans\/(?<id>[1-9]\d{0,18})$/],
	["work", /^\/work$/],
	["booking", /^\/bookings\/(?<id>[1-9]\d{0,18})$/],
];

function decoded(groups)
{
	try {
		return Object.fromEntries(Object.entries(groups ?? {}).map(([k, v]) => [k,
			decodeURIComponent(v)]));
	} catch {
		return null;
	}
}

export function match(path)
{
	for (const [page, pattern] of ROUTES) {
		const found = pattern.exec(path);
		const params = found && decoded(found.groups);

		if (params)
			return { page, params, path };
	}
	return { page: "missing", params: {}, path };
}

export const route = signal(match(location.pathname));

/* from: where the person came from and wants to go back to; it stays with the history entry. */
export function navigate(path, { replace = false, from } = {})
{
	const state = from ? { from } : null;

	if (replace)
		history.replaceState(state, "", path);
	else
		history.pushState(state, "", path);
	route.value = match(location.pathname);
	if (!replace)
		scrollTo(0, 0);
}

/* Only a booking is ever gone back to; anything else in there did not come from us. */
export function cameFrom()
{
	const from = history.state?.from;

	return typeof from === "string" && match(from).page === "booking" ? from : null;
}

function follow(event)
{
	const link = event.target.closest?.("a[href]");

	if (!link || event.defaultPrevented || event.button !== 0 || link.target
		|| link.hasAttribute("download"))
		return;
	if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
		return;
	if (link.origin !== location.origin || match(link.pathname).page === "missing")
		return;
	event.preventDefault();
	navigate(link.pathname, { from: link.dataset.from });
}

export function routerStart()
{
	addEventListener("popstate", () => {
		route.value = match(location.pathname);
	});
	document.addEventListener("click", follow);
}
