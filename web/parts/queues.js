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
	return most ? `At most ${most} at once, by all workers together.` : "As many at once as the workers have room for.";
}

/* What was refused stands at what it was refused to, until something else is done there. */
function Refused({ error })
{
	return error && html`<div class="box bad" role="alert"><p>${error.message}</p><${ForAdministrators} error=${error} /></div>`;
}

function sureToPause(title)
{
	return ask({ title: `Pause the work at ${title}?`, text: PAUSE, yes: "Pause" });
}

function Queue({ queue })
{
	const [error, setError] = useState(null);
	const [limiting, setLimiting] = useState(false);
	const title = siteTitle(queue.name);

	async function turn()
	{
		const verb = queue.paused ? "resume" : "pause";

		if (verb === "pause" && !await sureToPause(title))
			return;
		setError(null);
		await queueAct(queue, verb).then(() => say(verb === "pause" ? `The work at ${title} is paused.`
			: `The work at ${title} goes on.`, "ok"), setError);
	}

	return html`
		<article class="card stack" aria-label=${title}>
			<div class="row wrap"><h3>${title}</h3>
				${title !== queue.name && html`<code class="quiet">${queue.name}</code>`}<span class="grow"></span>
				<span aria-live="polite"><${Badge} words=${queue.paused ? QUEUES.paused : QUEUES.on} /></span></div>
			${queue.paused && html`<p>Nothing more is begun here; whose booking waits is told why.</p>`}
			<${Counts} queue=${queue} />
			<${Refused} error=${error} />
			<p class="small limit">${limitWords(queue)}</p>
			<div class="row wrap">
				<button type="button" aria-label=${`Limit the work at ${title}`} onClick=${() => setLimiting(true)}>Limit …</button>
				<button type="button" class=${queue.paused ? "primary" : ""} onClick=${turn}
					aria-label=${`${queue.paused ? "Resume" : "Pause"} the work at ${title}`}>${queue.paused ? "Resume" : "Pause …"}</button></div>
			${limiting && html`<${QueueLimit} queue=${queue} title=${title} close=${() => setLimiting(false)} />`}
		</article>`;
}

export function Queues({ queues })
{
	if (!queues.length)
		return html`<div class="card empty"><p><strong>Nothing waits.</strong></p>
			<p>Each site has a queue, in which what is asked for there waits for its turn; there is no site yet.</p></div>`;
	return html`<div class="cards">${queues.map((queue) => html`<${Queue} key=${queue.name} queue=${queue} />`)}</div>`;
}
