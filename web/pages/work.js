/* For administrators: what waits and runs, in which queue, and who does it. */
import { account } from "../account.js";
import { Ago } from "../parts/clock.js";
import { Loading, Page } from "../parts/frame.js";
import { PartTrouble } from "../parts/notice.js";
import { usePart } from "../parts/part.js";
import { Queues } from "../parts/queues.js";
import { sitesPart } from "../parts/store.js";
import { queuesShown, usersPart, workPart } from "../parts/work.js";
import { Workers } from "../parts/workers.js";
import { html } from "../parts/html.js";

const AWAY = "The part of Stead that does the work is away; what waits is safe";

function Shown({ work })
{
	return html`
		<section aria-labelledby="queues-h"><h2 id="queues-h">Queues</h2><${Queues} queues=${queuesShown(work)} /></section>
		<section aria-labelledby="workers-h"><h2 id="workers-h">Workers</h2><${Workers} workers=${work.workers} /></section>`;
}

function Known()
{
	const work = workPart.value.value, fails = workPart.trouble.value;

	usePart(workPart);
	usePart(sitesPart); /* for their titles, and for those where nothing stands */
	usePart(usersPart);
	return html`
		${work && !fails && html`<p class="age">Refreshed <${Ago} ms=${workPart.freshAtMs.value} /></p>`}
		<${PartTrouble} part=${workPart} away=${AWAY} />
		${work && html`<${Shown} work=${work} />`}
		${!work && !fails && !workPart.slow.value && html`<${Loading} what="Loading the queues …" />`}`;
}

export function Work()
{
	return html`<${Page} title="Work" back>${account.value.admin ? html`<${Known} />`
		: html`<p>Only administrators see the queues and the workers. Your own bookings are on the dashboard.</p>`}<//>`;
}
