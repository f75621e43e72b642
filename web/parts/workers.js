/* The workers: where each of them runs, whether it is alive, and what it does. */
import { account } from "../account.js";
import { Badge } from "./badge.js";
import { Ago } from "./clock.js";
import { siteTitle } from "./store.js";
import { userName } from "./work.js";
import { KINDS, WORKERS } from "./words.js";
import { html } from "./html.js";

function words(worker)
{
	if (worker.silent)
		return WORKERS.silent;
	return worker.jobs.length ? WORKERS.busy : WORKERS.idle;
}

/* A booking is shown to its person alone, so that another's has no link. */
function Job({ job })
{
	const name = `${KINDS[job.kind] ?? job.kind} ${job.id}`;
	const own = job.kind === "booking" && job.user === account.value.id;

	return html`<li>${own ? html`<a href=${`/bookings/${job.id}`}>${name}</a>` : name}${" "}<span class="quiet">at
		${" "}${siteTitle(job.queue)}, for ${userName(job.user)}${job.attempt > 1 ? `, taken up ${job.attempt} times` : ""}</span></li>`;
}

function Worker({ worker })
{
	return html`
		<li class="card line worker">
			<span class="grow">
				<strong>${worker.host}</strong>
				<span class="quiet small block">Process ${worker.pid}${" · "}version ${worker.version}${" · "}started <${Ago}
					ms=${worker.started_at_ms} /></span>
				<span class="small block">Last sign of life: <${Ago} ms=${worker.beat_at_ms} /></span>
				${worker.silent && html`<span class="reason small">It has ended without saying so, or does not reach the database. What it
					had is taken up by others.</span>`}
				${worker.leads && html`<span class="small block">It leads: it also removes what is old.</span>`}
				${worker.jobs.length > 0 && html`<ul class="jobs small">${worker.jobs.map((job) => html`<${Job} key=${job.id} job=${job} />`)}</ul>`}
			</span>
			${worker.leads && html`<${Badge} words=${WORKERS.leads} />`}
			<${Badge} words=${words(worker)} />
		</li>`;
}

export function Workers({ workers })
{
	if (!workers.length)
		return html`<div class="card empty"><p><strong>No worker is there.</strong></p>
			<p>Nothing is begun until one has started: <code>systemctl status stead-botd</code> on its machine.</p></div>`;
	return html`<ul class="plain-list">${workers.map((worker) => html`<${Worker} key=${worker.id} worker=${worker} />`)}</ul>`;
}
