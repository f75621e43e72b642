/* The queues: what stands in each, whether it goes on, and how much of it may be under way at once. */
import { useState } from "preact/hooks";
import { Badge } from "./badge.js";
import { ask } from "./dialog.js";
import { ForAdministrators, say } from "./notice.js";
import { QueueLimit } from "./queue_limit.js";
import { siteTitle } from "./store.js";
import { queueAct } from "./work.js";
import { QUEUE_COUNTS, QUEUES } from "./words.js";
import { html } from "./html.js";

const PAUSE = "Nothing more is begun there until it is resumed. What is under way goes on to its end; whose booking waits is told that an "
	+ "administrator has paused the work at this site.";

function Counts({ queue })
{
	if (!QUEUE_COUNTS.some(([key]) => queue[key]))
		return html`<p class="quiet">Nothing waits.</p>`;
	return html`<dl class="counts">${QUEUE_COUNTS.map(([key, label]) => html`<div key=${key}><dt>${label}</dt>
		<dd>${queue[key]}</dd></div>`)}</dl>`;
}

function limitWords({ most })
{
	return most ? `At most ${most} at once, by all workers together.` : "No limit of its own.";
}

/* What was refused stands at what it was refused to, until it is closed or something else is done there. */
function Refused({ error, close })
{
	return error && html`<div class="box bad slim" role="alert"><div class="grow"><p>${error.message}</p>
		<${ForAdministrators} error=${error} /></div>
		<button type="button" class="plain icon" aria-label="Close this message" onClick=${close}>✕</button></div>`;
}

function sureToPause(title)
{
	return ask({ title: `Pause the work at ${title}?`, text: PAUSE, yes: "Pause" });
}

/* Limit, and Pause or Resume. */
function Actions({ queue, title })
{
	const [error, setError] = useState(null);
	const [limiting, setLimiting] = useState(false);
	const [verb, label] = queue.paused ? ["Resume", "Resume"] : ["Pause", "Pause …"];

	async function turn()
	{
		if (verb === "Pause" && !await sureToPause(title))
			return;
		setError(null);
		await queueAct(queue, verb.toLowerCase()).then(() => say(`The work at ${title} ${verb === "Pause" ? "is paused" : "goes on"}.`, "ok"),
			setError);
	}

	return html`
		<${Refused} error=${error} close=${() => setError(null)} />
		<div class="row wrap">
			<button type="button" class=${verb === "Resume" ? "primary" : ""} aria-label=${`${verb} the work at ${title}`}
				onClick=${turn}>${label}</button>
			<button type="button" aria-label=${`Limit the work at ${title}`} onClick=${() => setLimiting(true)}>Limit …</button></div>
		${limiting && html`<${QueueLimit} queue=${queue} title=${title} close=${() => setLimiting(false)} />`}`;
}

function Queue({ queue })
{
	const title = siteTitle(queue.name);

	return html`
		<article class="card stack queue" aria-label=${title}>
			<div class="row wrap"><h3>${title}</h3>
				${title !== queue.name && html`<code class="quiet">${queue.name}</code>`}<span class="grow"></span>
				<span aria-live="polite"><${Badge} words=${queue.paused ? QUEUES.paused : QUEUES.on} /></span></div>
			${queue.paused && html`<p>Nothing more is begun here; whose booking waits is told why.</p>`}
			<${Counts} queue=${queue} />
			<p class="small limit">${limitWords(queue)}</p>
			<${Actions} queue=${queue} title=${title} />
		</article>`;
}

export function Queues({ queues })
{
	if (!queues.length)
		return html`<div class="card empty"><p><strong>Nothing waits.</strong></p>
			<p>Each site has a queue, in which what is asked for there waits for its turn; there is no site yet.</p></div>`;
	return html`<div class="cards">${queues.map((queue) => html`<${Queue} key=${queue.name} queue=${queue} />`)}</div>`;
}
