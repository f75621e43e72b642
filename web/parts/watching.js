/*
 * The browser that Stead works in for somebody, as it works: to look at, not to touch. It comes and goes with the work, so as long
 * as somebody wants to watch, it is asked for again.
 */
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { Screen } from "../stream/canvas.js";
import { fromPage } from "../stream/geometry.js";
import { Connection } from "./connection.js";
import { html } from "./html.js";
import { Live } from "./live.js";
import { bookingEnded } from "./words.js";

const AGAIN_MS = 1500;
const FULL = 4429;

class Watching {
	live = signal(null);
	page = signal(null); /* page_changed */
	pointer = signal(null); /* pointer_moved */
	open = signal(false); /* a browser is there */
	painted = signal(false);
	full = signal(false); /* too many look at it */
	#screen;
	#timer = null;
	#over = false;

	constructor(site, canvas)
	{
		this.site = site;
		this.#screen = new Screen(canvas, {
			acknowledge: (seq) => this.live.value?.notify("frame_ack", { seq }),
			painted: () => {
				this.painted.value = true;
			},
		});
		this.shown = () => this.live.value?.notify("view_show", { visible: !document.hidden });
		document.addEventListener("visibilitychange", this.shown);
		this.#connect();
	}

	get size()
	{
		return this.#screen.page;
	}

	stop()
	{
		this.#over = true;
		clearTimeout(this.#timer);
		document.removeEventListener("visibilitychange", this.shown);
		this.live.value?.stop();
		this.#screen.stop();
	}

	#heard(method, params)
	{
		switch (method) {
		case "page_changed":
			this.page.value = params;
			if (params.loading)
				this.pointer.value = null; /* where it was is no place of the next document's */
			break;
		case "pointer_moved":
			this.pointer.value = params;
			break;
		}
	}

	#connect()
	{
		this.live.value = new Live({
			path: () => `/ws/runs/${encodeURIComponent(this.site)}`,
			check: () => Promise.resolve(true),
			open: () => {
				this.#screen.restart();
				this.shown();
			},
			notification: (method, params) => {
				this.open.value = true;
				this.#heard(method, params);
			},
			binary: (buffer) => {
				this.open.value = true;
				this.#screen.show(buffer);
			},
			end: (code) => {
				this.open.value = false;
				this.pointer.value = null;
				this.full.value = code === FULL;
				if (!this.#over)
					this.#timer = setTimeout(() => this.#connect(), AGAIN_MS);
			},
		});
	}
}

/* Before the site's page comes the session is put into the browser, where nothing is to be seen. */
function where(page)
{
	if (!page || page.url === "about:blank")
		return "The browser is being made ready.";
	return [page.title, new URL(page.url).host].filter(Boolean).join(" – ");
}

function Words({ watching, over })
{
	const { open, full, page } = watching;

	if (full.value)
		return "Too many pages watch this already; close some of them.";
	if (over)
		return "The browser is closed; this is what it showed last.";
	if (!open.value)
		return "No browser is open for this just now. It is shown here as soon as one is.";
	return html`${where(page.value)}<span class="quiet"> · You can look on; nothing can be pressed or typed here.</span>`;
}

/* Where the bot's mouse is: the picture does not show it. In hundredths, for the picture is as wide as there is room. */
function Pointer({ watching: { pointer, painted, size } })
{
	if (!pointer.value || !painted.value || !size)
		return null;

	const { x, y } = fromPage(pointer.value.x, pointer.value.y, { width: 100, height: 100 }, size);

	return html`<span class="pointer" aria-hidden="true" style=${{ left: `${x}%`, top: `${y}%` }}></span>`;
}

function Open({ booking, close })
{
	const canvas = useRef(null);
	const [watching, setWatching] = useState(null);
	const over = bookingEnded(booking);

	useEffect(() => {
		const one = new Watching(booking.site, canvas.current);

		setWatching(one);
		return () => one.stop();
	}, [booking.site]);
	useEffect(() => {
		if (over)
			watching?.stop();
	}, [over, watching]);
	return html`
		<section aria-labelledby="watch-h">
			<div class="row wrap"><h2 id="watch-h" class="grow">The browser at work</h2>
				<button type="button" onClick=${close}>Stop watching</button></div>
			${watching?.live.value && !over && html`<${Connection} live=${watching.live.value} />`}
			<figure class=${`watch ${watching?.open.value && !over ? "" : "parked"}`}>
				<div class="picture-of-page">
					<canvas ref=${canvas} class=${watching?.painted.value ? "" : "blank"} role="img"
						aria-label="The site's page in Stead's browser, live"></canvas>
					${watching && !over && html`<${Pointer} watching=${watching} />`}
				</div>
				<figcaption role="status">${watching && html`<${Words} watching=${watching} over=${over} />`}</figcaption>
			</figure>
		</section>`;
}

/* For a booking that is being worked on; what was watched stays until it is closed. */
export function WatchBooking({ booking })
{
	const [wanted, setWanted] = useState(false);

	if (wanted)
		return html`<${Open} booking=${booking} close=${() => setWanted(false)} />`;
	if (booking.state !== "running")
		return null;
	return html`<div class="row"><button type="button" id="watch" onClick=${() => setWanted(true)}>Watch the browser</button></div>`;
}
