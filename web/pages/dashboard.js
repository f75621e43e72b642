/* The first page: the sites with their sessions, sign-ins that are open, and the bookings. */
import { useState } from "preact/hooks";
import { post } from "../api.js";
import { bookings, freshAt, moreBookings, olderLoad, refresh, sessions, sites, staleBecause,
	streams }
	from "../parts/store.js";
import { Badge } from "../parts/badge.js";
import { Loading, Page } from "../parts/frame.js";
import { say, Trouble } from "../parts/notice.js";
import { usePoll } from "../parts/poll.js";
import { SiteCard } from "../parts/site_card.js";
import { sureToClose } from "../parts/stream_close.js";
import { Ago, ago, clockTime, now } from "../parts/time.js";
import { bookingWords, stepWords, streamOpen } from "../parts/words.js";
import { html } from "../parts/html.js";

const POLL_MS = 3000;

function titleOf(name)
{
	return sites.value.find((site) => site.name === name)?.title ?? name;
}

function Age()
{
	if (staleBecause.value)
		return html`<p class="age bad-text" role="status">Not refreshed
			since ${clockTime(freshAt.value)}:
			${" "}${staleBecause.value.message}</p>`;
	return html`<p class="age">Refreshed ${ago(freshAt.value, now.value)}</p>`;
}

async function streamClose(stream)
{
	if (!await sureToClose(titleOf(stream.site)))
		return;
	try {
		await post(`/streams/${encodeURIComponent(stream.id)}/close`);
		say(`The sign-in to ${titleOf(stream.site)} is closed.`);
	} catch (error) {
		say(error.message, "bad");
	}
	await refresh();
}

function OpenSignIns()
{
	const open = streams.value.filter(streamOpen);

	if (!open.length)
		return null;
	return html`
		<section aria-labelledby="open-h">
			<h2 id="open-h">Open sign-ins</h2>
			<ul class="plain-list">
				${open.map((stream) => html`
					<li key=${stream.id} class="card line">
						<span class="grow"><strong>${titleOf(stream.site)}</strong>
							${" · "}${stream.kept_account ? "Waits for your answer"
								: stepWords(stream.step)}${" · opened "}<${Ago} ms=${stream.opened_at_ms} /></span>
						<a class="button primary"
							href=${`/streams/${encodeURIComponent(stream.id)}`}>Go back to it</a>
						<button type="button" onClick=${() => streamClose(stream)}
							aria-label=${`Close the sign-in to ${titleOf(stream.site)}`}>Close</button>
					</li>`)}
			</ul>
		</section>`;
}

function Sites()
{
	if (!sites.value.length)
		return html`<div class="card empty"><p><strong>No sites yet.</strong></p>
			<p>Stead knows a site by its recipe. Put one into the recipe
				directory (docs/recipes.md tells how);
			it appears here once Stead has read it.</p></div>`;
	return html`
		<div class="cards">
			${sites.value.map((site) => html`<${SiteCard} key=${site.name} site=${site}
				sessions=${sessions.value.filter((session) => session.site === site.name)}
				streams=${streams.value.filter((stream) => stream.site === site.name)} />`)}
		</div>`;
}

function BookingRow({ booking })
{
	const path = `/bookings/${booking.id}`;

	return html`
		<li class="card line booking">
			<span class="grow">
				<a class="what" href=${path}>${booking.title}</a>
				<span class="quiet small">${titleOf(booking.site)} · asked for <${Ago}
					ms=${booking.created_at_ms} /></span>
				${booking.reason && html`<span class="reason small">${booking.reason}</span>`}
			</span>
			<${Badge} words=${bookingWords(booking)} />
			${booking.state === "needs_sign_in"
				? html`<a class="button primary" data-from=${path}
					href=${`/sites/${encodeURIComponent(booking.site)}/sign-in`}>Sign in</a>`
				: html`<a class="button" href=${path}
					aria-label=${`Log of ${booking.title}`}>Log</a>`}
		</li>`;
}

function Bookings()
{
	const [busy, setBusy] = useState(false);

	async function more()
	{
		setBusy(true);
		await olderLoad().catch((error) => say(error.message, "bad"));
		setBusy(false);
	}

	if (!bookings.value.length)
		return html`<div class="card empty"><p><strong>No bookings yet.</strong></p>
			<p>Sign in to a site above, then ask for the first one with the button on
				its card.</p></div>`;
	return html`
		<ul class="plain-list">
			${bookings.value.map((booking) => html`<${BookingRow} key=${booking.id}
				booking=${booking} />`)}
		</ul>
		${moreBookings.value && html`<p><button type="button" disabled=${busy} onClick=${more}>
			${busy ? "Loading …" : "Show older ones"}</button></p>`}`;
}

export function Dashboard()
{
	usePoll(refresh, POLL_MS);
	if (!freshAt.value)
		return html`
			<${Page} title="Dashboard">
				${staleBecause.value
					? html`<${Trouble} error=${staleBecause.value} retry=${refresh} />`
					: html`<${Loading} what="Loading your sites …" />`}
			<//>`;
	return html`
		<${Page} title="Dashboard">
			<${Age} />
			<${OpenSignIns} />
			<section aria-labelledby="sites-h"><h2 id="sites-h">Sites</h2><${Sites} /></section>
			<section aria-labelledby="bookings-h"><h2 id="bookings-h">Bookings</h2><${Bookings} /></section>
		<//>`;
}
