/*
 * One booking: where it stands, what was done for it line by line as it happens, and what one can
 * do about it.
 */
import { signal } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import { get, post } from "../api.js";
import { Badge } from "../parts/badge.js";
import { bookingInDoubt, DoubtActions, DoubtFacts, DoubtWords } from "../parts/booking_doubt.js";
import { Connection } from "../parts/connection.js";
import { ask } from "../parts/dialog.js";
import { choiceLabel } from "../parts/fields.js";
import { Loading, Page } from "../parts/frame.js";
import { Live } from "../parts/live.js";
import { Log } from "../parts/log.js";
import { say, Trouble } from "../parts/notice.js";
import { useRetry } from "../parts/part.js";
import { site as siteLoad, sites, siteTitle } from "../parts/store.js";
import { Ago } from "../parts/clock.js";
import { dayInWords } from "../parts/time.js";
import { WatchBooking } from "../parts/watching.js";
import { bookingCancellable, bookingChangeable, bookingEnded, bookingRetryable,
	bookingWords } from "../parts/words.js";
import { html } from "../parts/html.js";

/*
 * What is known of one booking; its log is told once, line after line, whatever happens to the
 * connection.
 */
class Watch {
	booking = signal(null);
	trouble = signal(null);
	away = signal(null); /* why nothing more is told for now */
	lines = signal([]);
	live = signal(null);
	complete = signal(false); /* all of its lines have come */
	#last = 0;
	#fresh = [];
	#over = false;

	constructor(id)
	{
		this.id = id;
		this.load();
	}

	async load()
	{
		try {
			await this.refresh();
			this.trouble.value = null;
		} catch (error) {
			this.trouble.value = error;
			return;
		}
		if (!this.#over)
			this.connect();
	}

	async refresh()
	{
		this.booking.value = (await get(`/bookings/${this.id}`)).booking;
		return true;
	}

	connect()
	{
		this.live.value?.stop();
		this.complete.value = false;
		this.live.value = new Live({
			path: () => `/ws/bookings/${this.id}/events?after=${this.#last}`,
			check: () => this.#look(),
			notification: (method, params) => method === "booking_watch"
				&& this.#item(params),
			end: () => {
				this.complete.value = true;
				this.refresh().catch((error) => say(error.message, "bad"));
			},
		});
	}

	/* Where no WebSocket comes through, what it would tell is asked for instead, whenever it is tried again. */
	async #look()
	{
		await this.refresh();
		if (!this.live.value.blocked.value)
			return true;
		for (let more = true; more;) {
			const got = await get(`/bookings/${this.id}/log`, { after: this.#last });

			for (const line of got.lines)
				this.#item({ line });
			more = got.more && got.lines.length > 0;
		}
		return !bookingEnded(this.booking.value);
	}

	stop()
	{
		this.#over = true;
		this.live.value?.stop();
	}

	#item({ line, booking, away })
	{
		this.away.value = away ?? null;
		if (booking)
			this.booking.value = booking;
		if (!line || line.n <= this.#last)
			return;
		this.#last = line.n;
		this.#fresh.push(line);
		/* A long log arrives in one burst; it is drawn in one go. */
		if (this.#fresh.length === 1)
			setTimeout(() => {
				this.lines.value = this.lines.value.concat(this.#fresh.splice(0));
			}, 16);
	}
}

async function act(watch, verb, params)
{
	try {
		watch.booking.value = (await post(`/bookings/${watch.id}/${verb}`, params)).booking;
		if (watch.live.value?.state.value === "ended")
			watch.connect();
	} catch (error) {
		say(error.message, "bad");
	}
}

async function cancel(watch)
{
	const sure = await ask({
		title: "Cancel this booking?",
		text: "Stead does not send it any more. What stands among your bookings at the site stays there.",
		yes: "Cancel the booking",
		no: "Keep it",
		danger: true,
	});

	if (sure)
		await act(watch, "cancel");
}

/* The form again, filled in. */
function AnotherLikeIt({ booking })
{
	const change = bookingChangeable(booking);

	return html`<a class=${`button ${change ? "primary" : ""}`} data-from=${`/bookings/${booking.id}`}
		href=${`/sites/${encodeURIComponent(booking.site)}/book/${encodeURIComponent(booking.action)}`}>${change
		? "Choose another" : "Book another like it"}</a>`;
}

function Actions({ watch })
{
	const booking = watch.booking.value;
	const doubt = bookingInDoubt(booking), change = bookingChangeable(booking);
	const home = sites.value?.find((one) => one.name === booking.site)?.home;

	return html`
		<div class="row wrap">
			${booking.state === "needs_sign_in" && html`<a class="button primary"
				data-from=${`/bookings/${booking.id}`}
				href=${`/sites/${encodeURIComponent(booking.site)}/sign-in`}>Sign in</a>`}
			${doubt && html`<${DoubtActions} booking=${booking} home=${home}
				act=${(verb, params) => act(watch, verb, params)} />`}
			${change && html`<${AnotherLikeIt} booking=${booking} />`}
			${bookingRetryable(booking) && !doubt && html`<button type="button" class=${change ? "" : "primary"}
				onClick=${() => act(watch, "retry")}>Try again</button>`}
			${bookingEnded(booking) && !doubt && !change && html`<${AnotherLikeIt} booking=${booking} />`}
			${bookingCancellable(booking) && !doubt && html`<button type="button"
				onClick=${() => cancel(watch)}>Cancel
				booking</button>`}
		</div>`;
}

/* The recipe's own labels, as on the form; its names where it has changed since. */
function Inputs({ booking, site })
{
	const known = site?.actions.find((action) => action.name === booking.action)?.inputs ?? [];

	return Object.entries(booking.inputs ?? {}).map(([name, value]) => {
		const input = known.find((one) => one.name === name);

		return html`<div key=${name}><dt>${input?.label ?? name}</dt>
			<dd>${(input?.type === "date" && dayInWords(value)) || (input && choiceLabel(input, value)) || String(value)}</dd></div>`;
	});
}

function Facts({ booking })
{
	const site = sites.value?.find((one) => one.name === booking.site);

	useEffect(() => {
		/* Only for its labels; without them the recipe's names stand there. */
		siteLoad(booking.site).catch(() => {});
	}, [booking.site]);
	return html`
		<dl class="facts wide">
			<div><dt>Site</dt><dd>${siteTitle(booking.site)}</dd></div>
			<${Inputs} booking=${booking} site=${site} />
			<div><dt>Asked for</dt><dd><${Ago} ms=${booking.created_at_ms} />${booking.plan && html` by <a
				href=${`/plans/${booking.plan}`}>your plan</a>`}</dd></div>
			${booking.finished_at_ms
				&& html`<div><dt>Ended</dt><dd><${Ago} ms=${booking.finished_at_ms} /></dd></div>`}
			<div><dt>Tries</dt><dd>${booking.attempts}</dd></div>
		</dl>`;
}

/* How far it is; and if it was begun again, why. */
function Progress({ booking })
{
	if (booking.state !== "running")
		return null;
	return html`
		${booking.step && html`<progress class="wide" max=${booking.steps} value=${booking.step}
			aria-label=${`Step ${booking.step} of ${booking.steps}`}></progress>`}
		${booking.attempts > 1 && booking.reason && html`<p class="reason">Begun again: ${booking.reason}</p>`}`;
}

function Picture({ booking })
{
	const [missing, setMissing] = useState(false);
	const source = `/api/v1/bookings/${booking.id}/picture?attempt=${booking.attempts}`;

	return html`
		<section aria-labelledby="picture-h">
			<h2 id="picture-h">The page as it was</h2>
			${missing
				? html`<p class="quiet">The picture cannot be shown just now; load
					the page again to retry.</p>`
				: html`<a href=${source} target="_blank"
					rel="noopener"><img class="picture" src=${source}
					alt="The site's page at the step that did not work"
						onError=${() => setMissing(true)} /></a>`}
		</section>`;
}

function Body({ watch })
{
	const booking = watch.booking.value;

	return html`
		<div class="card stack">
			<div class="row wrap" aria-live="polite"><${Badge} words=${bookingWords(booking)} />
				${booking.reason && booking.state !== "running" && html`<span>${booking.reason}</span>`}</div>
			<${Progress} booking=${booking} />
			${bookingInDoubt(booking) && html`<${DoubtWords} booking=${booking} /><${DoubtFacts} booking=${booking} />`}
			${booking.state === "needs_sign_in"
				&& html`<p>Sign in, and this booking goes on by itself.</p>`}
			<${Facts} booking=${booking} />
			<${Actions} watch=${watch} />
		</div>
		<${WatchBooking} booking=${booking} />
		${booking.picture && html`<${Picture} key=${booking.attempts} booking=${booking} />`}
		<section aria-labelledby="log-h">
			<h2 id="log-h">${bookingEnded(booking) ? "What was done" : "What is being done"}</h2>
			${watch.live.value && html`<${Connection} live=${watch.live.value} />`}
			${watch.away.value && !bookingEnded(booking)
				&& html`<p class="box warn slim" role="status"><span>${watch.away.value}</span></p>`}
			<${Log} lines=${watch.lines.value} over=${bookingEnded(booking) && watch.complete.value} />
		</section>`;
}

export function Booking({ id })
{
	const watch = useMemo(() => new Watch(id), [id]);
	const booking = watch.booking.value;
	const { again, atMs } = useRetry(watch.trouble.value, () => watch.load());

	useEffect(() => () => watch.stop(), [watch]);
	if (booking)
		return html`<${Page} key="known" title=${`${bookingWords(booking)[0]} – ${booking.title}`}
			heading=${booking.title} back><${Body} watch=${watch} /><//>`;
	return html`
		<${Page} title=${`Booking ${id}`} back>
			${watch.trouble.value
				? html`<${Trouble} error=${watch.trouble.value} atMs=${atMs}
					retry=${watch.trouble.value.status === 404 ? null : again} />
					<p class="row"><a class="button primary" href="/">All your bookings</a></p>`
				: html`<${Loading} what="Loading the booking …" />`}
		<//>`;
}
