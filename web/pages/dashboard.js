/* The first page: the sites with their sessions, sign-ins that are open, and the bookings. */
import { useState } from "preact/hooks";
import { post } from "../api.js";
import { account } from "../account.js";
import { bookingsPart, olderLoad, plansPart, sessionsPart, sites, sitesPart, siteTitle as titleOf, streamsPart } from "../parts/store.js";
import { Badge } from "../parts/badge.js";
import { bookingGroups } from "../parts/booking_groups.js";
import { Loading, Page } from "../parts/frame.js";
import { PartTrouble, say, Trouble } from "../parts/notice.js";
import { usePart } from "../parts/part.js";
import { PlanRows } from "../parts/plans.js";
import { SiteCard } from "../parts/site_card.js";
import { sureToClose } from "../parts/stream_close.js";
import { Ago, now } from "../parts/clock.js";
import { ago, dayInWords, today } from "../parts/time.js";
import { bookingStands, bookingWords, stepWords, streamOpen } from "../parts/words.js";
import { html } from "../parts/html.js";

const PARTS = [sitesPart, sessionsPart, streamsPart, plansPart, bookingsPart];
/* A list that is longer wants to be searched. */
const FILTERED_FROM = 9;
/* What is over is seldom looked for. */
const PAST_SHOWN = 5;

/* What is wrong with several in the same way, and with no daemon in particular, is wrong with Stead, and said once. */
function commonTrouble()
{
	const troubles = PARTS.map((part) => part.trouble.value).filter(Boolean);

	return troubles.find((one) => !one.detail
		&& troubles.filter(({ message }) => message === one.message).length > 1) ?? null;
}

function refreshAll()
{
	for (const part of PARTS)
		part.refresh();
}

function nextTry()
{
	return { value: Math.min(...PARTS.filter((part) => part.trouble.value).map((part) => part.retryAtMs.value)) };
}

/* How old what is shown is; parts that could not be refreshed say so themselves. */
function Age()
{
	const fresh = Math.max(...PARTS.map((part) => part.freshAtMs.value));

	if (commonTrouble())
		return html`<${Trouble} error=${commonTrouble()} retry=${refreshAll} atMs=${nextTry()} />`;
	if (!fresh || PARTS.some((part) => part.trouble.value))
		return null;
	return html`<p class="age">Refreshed ${ago(fresh, now.value)}</p>`;
}

/* A part's own trouble, unless it is everybody's. */
function Own({ part, away })
{
	const common = commonTrouble();

	return common && common.message === part.trouble.value?.message ? null : html`<${PartTrouble} part=${part} away=${away} />`;
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
	await streamsPart.refresh();
}

const STREAMS_AWAY = "The part of Stead that shows sign-ins is away";

function OpenSignIns()
{
	const open = (streamsPart.value.value ?? []).filter(streamOpen);

	if (!open.length)
		return html`<${Own} part=${streamsPart} away=${STREAMS_AWAY} />`;
	return html`
		<section aria-labelledby="open-h">
			<h2 id="open-h">Open sign-ins</h2>
			<${Own} part=${streamsPart} away=${STREAMS_AWAY} />
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

/* Without the recipes' titles and actions, whose session is kept is still worth seeing. */
function knownSites()
{
	const names = new Set((sessionsPart.value.value ?? []).map((session) => session.site));

	return sites.value ?? [...names].map((name) => ({ name, title: name, home: "", actions: [] }));
}

function NoSites()
{
	return html`<div class="card empty"><p><strong>No sites yet.</strong></p>
		${account.value.admin
			? html`<p>Stead knows a site by its recipe. Put one into the recipe directory (docs/recipes.md tells how); it
				appears here once Stead has read it.</p>`
			: html`<p>Your administrator adds the sites that Stead can sign in to; they appear here by themselves.</p>`}</div>`;
}

function SiteCards()
{
	const known = knownSites();

	if (sites.value && !known.length)
		return html`<${NoSites} />`;
	return html`
		<div class="cards">
			${known.map((site) => html`<${SiteCard} key=${site.name} site=${site}
				sessions=${sessionsPart.value.value?.filter((session) => session.site === site.name) ?? null}
				streams=${(streamsPart.value.value ?? []).filter((stream) => stream.site === site.name)} />`)}
		</div>`;
}

function Sites()
{
	return html`
		<section aria-labelledby="sites-h"><h2 id="sites-h">Sites</h2>
			<${Own} part=${sitesPart} away="What can be done at your sites is not known just now" />
			<${Own} part=${sessionsPart} away="Stead's vault is away; your sessions are safe" />
			${sites.value || sitesPart.trouble.value || sitesPart.slow.value ? html`<${SiteCards} />`
				: html`<${Loading} what="Loading your sites …" />`}
		</section>`;
}

/* What there is to do about it, or else to read. */
function RowLink({ booking, path })
{
	if (booking.state === "needs_sign_in")
		return html`<a class="button primary" data-from=${path} href=${`/sites/${encodeURIComponent(booking.site)}/sign-in`}>Sign in</a>`;
	return booking.outcome === "unconfirmed"
		? html`<a class="button" href=${path} aria-label=${`Find out about ${booking.title}`}>Find out</a>`
		: html`<a class="button" href=${path} aria-label=${`Log of ${booking.title}`}>Log</a>`;
}

function BookingRow({ booking })
{
	const path = `/bookings/${booking.id}`;

	return html`
		<li class="card line booking">
			<span class="grow">
				<a class="what" href=${path}>${booking.title}</a>
				<span class="quiet small">${titleOf(booking.site)}${" · "}asked for <${Ago} ms=${booking.created_at_ms} /></span>
				${booking.reason && !bookingStands(booking) && html`<span class="reason small">${booking.reason}</span>`}
			</span>
			<${Badge} words=${bookingWords(booking)} />
			<${RowLink} booking=${booking} path=${path} />
		</li>`;
}

function Rows({ bookings })
{
	return html`<ul class="plain-list">
		${bookings.map((booking) => html`<${BookingRow} key=${booking.id} booking=${booking} />`)}</ul>`;
}

function Group({ title, bookings })
{
	return bookings.length ? html`<h3>${title}</h3><${Rows} bookings=${bookings} />` : null;
}

function Past({ bookings, all })
{
	const [open, setOpen] = useState(false);
	const shown = all || open ? bookings : bookings.slice(0, PAST_SHOWN);

	return html`
		<${Group} title="Past" bookings=${shown} />
		${shown.length < bookings.length && html`<p><button type="button" onClick=${() => setOpen(true)}>Show all
			${" "}${bookings.length} past bookings</button></p>`}`;
}

function Older()
{
	const [busy, setBusy] = useState(false);

	async function more()
	{
		setBusy(true);
		await olderLoad().catch((error) => say(error.message, "bad"));
		setBusy(false);
	}

	return html`<p><button type="button" disabled=${busy} onClick=${more}>
		${busy ? "Loading …" : "Show older ones"}</button></p>`;
}

function Filter({ words, set })
{
	return html`<label class="filter">Find <input type="search" maxlength="100" value=${words}
		placeholder="a site, a desk, a day" onInput=${(event) => set(event.target.value)} /></label>`;
}

function Grouped({ list })
{
	const [words, setWords] = useState("");
	const { needs, days, past } = bookingGroups(list, { sites: sites.value, today: today(now.value), words });

	return html`
		${list.length >= FILTERED_FROM && html`<${Filter} words=${words} set=${setWords} />`}
		<${Group} title="Needs you" bookings=${needs} />
		${days.map(({ day, bookings }) => html`<${Group} key=${day} title=${day ? dayInWords(day) : "Without a day"}
			bookings=${bookings} />`)}
		<${Past} bookings=${past} all=${Boolean(words.trim())} />
		${!needs.length && !days.length && !past.length && html`<p class="quiet" role="status">No booking here has that in
			it.</p>`}`;
}

function toBookings()
{
	document.getElementById("bookings-h").scrollIntoView({ behavior: "smooth" });
}

/* What waits for the person, before anything else. */
function Attention()
{
	const list = bookingsPart.value.value?.list ?? [];
	const { needs } = bookingGroups(list, { sites: sites.value, today: today(now.value) });

	if (!needs.length)
		return null;
	return html`<p class="box warn slim"><span class="grow">${needs.length === 1
		? html`A booking needs you: <a href=${`/bookings/${needs[0].id}`}>${needs[0].title}</a>`
		: `${needs.length} bookings need you.`}</span>
		${needs.length > 1 && html`<button type="button" onClick=${toBookings}>Show them</button>`}</p>`;
}

function Plans()
{
	return html`
		<section aria-labelledby="plans-h"><h2 id="plans-h">Plans</h2>
			<${Own} part=${plansPart} away="The part of Stead that runs plans is away; your plans are safe" />
			${!plansPart.value.value && !plansPart.trouble.value && html`<${Loading} what="Loading your plans …" />`}
			<${PlanRows} />
		</section>`;
}

function Bookings()
{
	const got = bookingsPart.value.value;

	return html`
		<section aria-labelledby="bookings-h"><h2 id="bookings-h">Bookings</h2>
			<${Own} part=${bookingsPart} away="The part of Stead that books is away; your bookings are safe" />
			${!got && !bookingsPart.trouble.value && html`<${Loading} what="Loading your bookings …" />`}
			${got && !got.list.length && html`<div class="card empty"><p><strong>No bookings yet.</strong></p>
				<p>Sign in to a site above, then ask for the first one with the button on its card.</p></div>`}
			${got?.list.length > 0 && html`<${Grouped} list=${got.list} />`}
			${got?.more && html`<${Older} />`}
		</section>`;
}

export function Dashboard()
{
	for (const part of PARTS)
		usePart(part);
	return html`
		<${Page} title="Dashboard">
			<${Age} />
			<${Attention} />
			<${OpenSignIns} />
			<${Sites} />
			<${Plans} />
			<${Bookings} />
		<//>`;
}
