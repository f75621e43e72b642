/*
 * Requests for bookings on their way. Each has a key of its own, made once: when an answer is lost
 * the request is repeated with that key, and Stead gives back the same booking instead of making a
 * second one.
 */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get, post } from "../api.js";
import { navigate } from "../router.js";
import { Badge } from "./badge.js";
import { usePoll } from "./poll.js";
import { dayInWords } from "./time.js";
import { uuid } from "./uuid.js";
import { bookingEnded, bookingWords } from "./words.js";
import { html } from "./html.js";

const TRIES = 6;
const FIRST_WAIT_MS = 1000;
const POLL_MS = 3000;

/*
 * The days are sent one after another, in their order, so that a limit at the site falls on the
 * later ones.
 */
let queue = Promise.resolve();

function pause(ms)
{
	return new Promise((resolve) => setTimeout(resolve, ms));
}

/* Too many were asked for just now, and Stead says when the next one may come. */
function later(error)
{
	return error.status === 429 && error.retryAfterMs > 0;
}

/*
 * The keys of requests whose answer never came, by what they ask for: whoever asks for the same again, from the form too, gets
 * the booking that may have been made.
 */
const unanswered = new Map();

function wishOf({ site, action, inputs })
{
	return JSON.stringify([site, action, Object.entries(inputs).sort()]);
}

async function attempt(order)
{
	for (let wait = FIRST_WAIT_MS, left = TRIES; ; wait *= 2) {
		order.state.value = { name: "sending" };
		try {
			const { booking } = await post("/bookings", order.request);

			unanswered.delete(wishOf(order.request));
			order.state.value = { name: "asked", booking };
			return;
		} catch (error) {
			if (error.passing)
				unanswered.set(wishOf(order.request), order.request.key);
			if (!(error.passing || later(error)) || --left === 0) {
				order.state.value = { name: "refused", error };
				return;
			}
			order.state.value = { name: later(error) ? "delayed" : "repeating", error };
			await pause(Math.max(wait, error.retryAfterMs));
		}
	}
}

function enqueue(order)
{
	order.state.value = { name: "waiting" };
	queue = queue.then(() => attempt(order));
}

export function orderSend(site, action, { day, label, inputs })
{
	const wish = { site: site.name, action: action.name, inputs };
	const order = {
		label: day ? dayInWords(day) : label,
		request: { key: unanswered.get(wishOf(wish)) ?? uuid(), ...wish },
		state: signal({ name: "waiting" }),
	};

	enqueue(order);
	return order;
}

function words({ name, booking, error })
{
	return {
		waiting: ["Not sent yet", "quiet"],
		sending: ["Sending", "busy"],
		repeating: ["No answer, sending again", "warn"],
		delayed: ["As many as a minute takes; sent in a moment", "quiet"],
		refused: [error?.passing ? "No answer" : "Refused", "bad"],
	}[name] ?? bookingWords(booking);
}

function Order({ order })
{
	const state = order.state.value;
	const reason = state.name === "refused" ? state.error.message : state.booking?.reason;

	return html`
		<li class="card line">
			<span class="grow"><strong>${order.label}</strong>
				${reason && html`<span class="reason small">${reason}</span>`}</span>
			<${Badge} words=${words(state)} />
			${state.booking && html`<a class="button" href=${`/bookings/${state.booking.id}`}
				aria-label=${`Log of ${order.label}`}>Log</a>`}
			${state.name === "refused" && state.error.passing && html`<button type="button"
				onClick=${() => enqueue(order)}>Send
				again</button>`}
		</li>`;
}

async function follow(orders)
{
	for (const { state } of orders) {
		const { booking } = state.value;

		if (!booking || bookingEnded(booking))
			continue;
		try {
			state.value = { name: "asked",
				booking: (await get(`/bookings/${booking.id}`)).booking };
		} catch {
			return; /* the next turn asks again; the booking itself is safe */
		}
	}
}

/* Leaving while something is unsent loses it, or leaves its fate unknown. */
function useLeaveWarning(unsent)
{
	useEffect(() => {
		if (!unsent)
			return undefined;

		const warn = (event) => event.preventDefault();

		addEventListener("beforeunload", warn);
		return () => removeEventListener("beforeunload", warn);
	}, [unsent]);
}

/*
 * again(inputs): back to the form, with those that were refused; refused(error): the server found a mistake in the only request there
 * was.
 */
export function Orders({ orders, refused, again })
{
	const states = orders.map((order) => order.state.value);
	const unsent = states.some(({ name }) => ["waiting", "sending", "delayed", "repeating"].includes(name));
	const only = orders.length === 1 ? states[0] : null;

	useLeaveWarning(unsent);
	usePoll(() => follow(orders), POLL_MS);
	useEffect(() => {
		if (only?.name === "asked")
			navigate(`/bookings/${only.booking.id}`, { replace: true });
		else if (only?.name === "refused" && only.error.status === 400)
			refused(only.error);
	}, [only?.name]);
	return html`
		<section aria-label="Progress" aria-live="polite">
			<ul class="plain-list">
				${orders.map((order) => html`<${Order} key=${order.request.key}
					order=${order} />`)}
			</ul>
		</section>
		${!unsent && html`<p class="row"><a class="button primary" href="/">To the dashboard</a>
			<button type="button" onClick=${() => again(orders
				.filter(({ state }) => state.value.name === "refused")
				.map(({ request }) => request.inputs))}>Back to the form</button></p>`}`;
}
