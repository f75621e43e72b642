/*
 * One booking: where it stands, what was done for it line by line as it happens, and what one can
 * do about it.
 */
import { signal } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import { get, post } from "../api.js";
import { Badge } from "../parts/badge.js";
import { Connection } from "../parts/connection.js";
import { ask } from "../parts/dialog.js";
import { Loading, Page } from "../parts/frame.js";
import { Live } from "../parts/live.js";
import { Log } from "../parts/log.js";
import { say, Trouble } from "../parts/notice.js";
import { site as siteLoad, sites } from "../parts/store.js";
import { Ago, dayInWords } from "../parts/time.js";
import { bookingCancellable, bookingEnded, bookingRetryable,
	bookingWords } from "../parts/words.js";
import { html } from "../parts/html.js";

/*
 * What is known of one booking; its log is told once, line after line, whatever happens to the
 * connection.
 */
class Watch {
	booking = signal(null);
	trouble = signal(null);
	lines = signal([]);
	live = signal(null);
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
		this.trouble.value = null;
		try {
			await this.refresh();
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
		this.live.value = new Live({
			path: () => `/ws/bookings/${this.id}?after=${this.#last}`,
			check: () => this.refresh(),
			notification: (method, params) => method === "booking_watch"
				&& this.#item(params),
			end: () => this.refresh().catch((error) => say(error.message, "bad")),
		});
	}

	stop()
	{
		this.#over = true;
		this.live.value?.stop();
	}

	#item({ line, booking })
	{
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

async function act(watch, verb)
{
	try {
		watch.booking.value = (await post(`/bookings/${watch.id}/${verb}`)).booking;
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

function Actions({ watch })
{
	const booking = watch.booking.value;

	return html`
		<div class="row wrap">
			${booking.state === "needs_sign_in" && html`<a class="button primary"
				data-from=${`/bookings/${booking.id}`}
				href=${`/sites/${encodeURIComponent(booking.site)}/sign-in`}>Sign in</a>`}
			${bookingRetryable(booking) && html`<button type="button" class="primary"
				onClick=${() => act(watch, "retry")}>Try again</button>`}
			${bookingEnded(booking) && html`<a class="button"
				data-from=${`/bookings/${booking.id}`}
				href=${`/sites/${encodeURIComponent(booking.site)}/book/${encodeURIComponent(booking.action)}`}>Book
				another like it</a>`}
			${bookingCancellable(booking) && html`<button type="button"
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
			<dd>${(input?.type === "date" && dayInWords(value)) || String(value)}</dd></div>`;
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
			<div><dt>Site</dt><dd>${site?.title ?? booking.site}</dd></div>
			<${Inputs} booking=${booking} site=${site} />
			<div><dt>Asked for</dt><dd><${Ago} ms=${booking.created_at_ms} /></dd></div>
			${booking.finished_at_ms
				&& html`<div><dt>Ended</dt><dd><${Ago} ms=${booking.finished_at_ms} /></dd></div>`}
			<div><dt>Tries</dt><dd>${booking.attempts}</dd></div>
		</dl>`;
}

function Picture({ booking })
{
	const [missing, setMissing] = useState(false);
	const source = `/ws/bookings/${booking.id}/picture?attempt=${booking.attempts}`;

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
				${booking.reason && html`<span>${booking.reason}</span>`}</div>
			${booking.state === "needs_sign_in"
				&& html`<p>Sign in, and this booking goes on by itself.</p>`}
			<${Facts} booking=${booking} />
			<${Actions} watch=${watch} />
		</div>
		${booking.picture && html`<${Picture} key=${booking.attempts} booking=${booking} />`}
		<section aria-labelledby="log-h">
			<h2 id="log-h">${bookingEnded(booking) ? "What was done" : "What is being done"}</h2>
			${watch.live.value && html`<${Connection} live=${watch.live.value} />`}
			<${Log} lines=${watch.lines.value} over=${bookingEnded(booking)} />
		</section>`;
}

export function Booking({ id })
{
	const watch = useMemo(() => new Watch(id), [id]);
	const booking = watch.booking.value;

	useEffect(() => () => watch.stop(), [watch]);
	if (booking)
		return html`<${Page} key="known" title=${`${bookingWords(booking)[0]} – ${booking.title}`}
			heading=${booking.title} back><${Body} watch=${watch} /><//>`;
	return html`
		<${Page} title=${`Booking ${id}`} back>
			${watch.trouble.value
				? html`<${Trouble} error=${watch.trouble.value}
					retry=${watch.trouble.value.status === 404 ? null : () => watch.load()} />`
				: html`<${Loading} what="Loading the booking …" />`}
		<//>`;
}
