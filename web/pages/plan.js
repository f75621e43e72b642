/* One plan: when it runs next, what became of its runs, and what can be done with it. */
import { useEffect, useMemo } from "preact/hooks";
import { get } from "../api.js";
import { navigate } from "../router.js";
import { Badge } from "../parts/badge.js";
import { Loading, Page } from "../parts/frame.js";
import { PartTrouble, Trouble } from "../parts/notice.js";
import { Part, usePart } from "../parts/part.js";
import { planAct, planDelete, planPause, planSkip } from "../parts/plan_acts.js";
import { site as siteLoad, siteTitle, sites } from "../parts/store.js";
import { dayInWords } from "../parts/time.js";
import { bookingWords, PLAN_MISSED, PLAN_RUNS, PLANS } from "../parts/words.js";
import { html } from "../parts/html.js";

const POLL_MS = 5000;

function Inputs({ plan })
{
	const inputs = sites.value?.find((one) => one.name === plan.site)?.actions.find((one) => one.name === plan.action)?.inputs ?? [];

	return Object.entries(plan.inputs).map(([name, value]) => html`<div key=${name}><dt>${inputs.find((one) => one.name === name)?.label ?? name}</dt>
		<dd>${/^\+\d+$/.test(value) ? `${value.slice(1)} days after the run` : dayInWords(value) || value}</dd></div>`);
}

function Facts({ plan })
{
	return html`<dl class="facts wide">
		<div><dt>When</dt><dd>${plan.when} <span class="quiet small">(${plan.time_zone})</span></dd></div>
		<div><dt>Site</dt><dd>${siteTitle(plan.site)}</dd></div>
		<${Inputs} plan=${plan} />
		<div><dt>Runs that Stead misses</dt><dd>${PLAN_MISSED[plan.schedule.missed]}</dd></div>
	</dl>`;
}

function Actions({ plan, refresh })
{
	async function resume()
	{
		await planAct(plan, "resume", {}, "The plan goes on.");
		refresh();
	}

	async function pause()
	{
		await planPause(plan);
		refresh();
	}

	async function forget()
	{
		if (await planDelete(plan))
			navigate("/", { replace: true });
	}

	return html`<div class="row wrap">
		${plan.state === "paused" && html`<button type="button" class="primary" onClick=${resume}>Resume</button>`}
		${plan.state === "on" && html`<button type="button" onClick=${pause}>Pause …</button>`}
		<a class="button" href=${`/plans/${plan.id}/change`}>Change</a>
		<button type="button" class="plain" onClick=${forget}>Delete …</button></div>`;
}

/* Runs of one day are skipped together. */
function several(plan)
{
	return plan.schedule.times.length > 1;
}

function NextRun({ plan, run, refresh })
{
	async function takeIn()
	{
		await planAct(plan, "skip", { day: run.day, undo: true }, `Taken in again: ${dayInWords(run.day)}.`);
		refresh();
	}

	return html`<li class="card line">
		<span class="grow"><strong class=${run.skipped ? "skipped" : ""}>${run.when}</strong>
			${run.title && html`<span class="quiet small block">${run.title}</span>`}
			${run.note && html`<span class="reason small">${run.note}</span>`}</span>
		${run.skipped ? html`<${Badge} words=${PLAN_RUNS.skipped} />
				<button type="button" aria-label=${`Take in again: ${run.when}`} onClick=${takeIn}>Take in again</button>`
			: html`<button type="button" aria-label=${`Skip: ${run.when}`}
				onClick=${() => planSkip(plan, run.day, refresh)}>${several(plan) ? "Skip the day" : "Skip"}</button>`}
	</li>`;
}

function none(plan)
{
	return plan.state === "ended" ? "It has no further run." : "None while it is paused.";
}

function Next({ plan, runs, refresh })
{
	return html`<section aria-labelledby="next-h"><h2 id="next-h">Next runs</h2>
		${runs.length ? html`<ul class="plain-list">${runs.map((run) => html`<${NextRun} key=${run.at_ms} plan=${plan} run=${run}
			refresh=${refresh} />`)}</ul>` : html`<p class="quiet">${none(plan)}</p>`}</section>`;
}

/* What was asked for is told by its booking. */
function pastWords(run)
{
	return run.booking ? bookingWords({ state: run.booking_state, outcome: run.booking_outcome }) : PLAN_RUNS[run.became] ?? [run.became, "quiet"];
}

function PastRun({ run })
{
	return html`<li class="card line">
		<span class="grow"><strong>${run.when}</strong>
			${run.booking && html`<a class="small block" href=${`/bookings/${run.booking}`}>${run.title}</a>`}
			${run.reason && html`<span class="reason small">${run.reason}</span>`}</span>
		<${Badge} words=${pastWords(run)} /></li>`;
}

function Past({ runs })
{
	return html`<section aria-labelledby="past-h"><h2 id="past-h">What became of its runs</h2>
		${runs.length ? html`<ul class="plain-list">${runs.map((run) => html`<${PastRun} key=${run.at_ms} run=${run} />`)}</ul>`
			: html`<p class="quiet">It has not run yet.</p>`}</section>`;
}

export function Plan({ id })
{
	const part = useMemo(() => new Part(() => get(`/plans/${id}`), POLL_MS), [id]);
	const got = part.value.value, error = part.trouble.value;
	const refresh = () => part.refresh();

	usePart(part);
	useEffect(() => {
		/* Only for its labels; without them the recipe's names stand there. */
		if (got)
			siteLoad(got.plan.site).catch(() => {});
	}, [got?.plan.site]);
	if (!got || error?.status === 404)
		return html`<${Page} title=${`Plan ${id}`} back>${error ? html`<${Trouble} error=${error} retry=${error.status === 404 ? null : refresh}
			atMs=${part.retryAtMs} />` : html`<${Loading} what="Loading the plan …" />`}<//>`;

	const { plan, next = [], past = [] } = got;

	return html`
		<${Page} key="known" title=${plan.title} back>
			<${PartTrouble} part=${part} away="The part of Stead that runs plans is away; this plan is safe" />
			<div class="card stack">
				<div class="row wrap" aria-live="polite"><${Badge} words=${PLANS[plan.state]} />
					${plan.resumes_at_ms && html`<span>Goes on by itself: ${plan.next_when ?? ""}</span>`}</div>
				${plan.trouble && html`<p class="box warn slim"><span>${plan.trouble}</span></p>`}
				<${Facts} plan=${plan} />
				<${Actions} plan=${plan} refresh=${refresh} />
			</div>
			<${Next} plan=${plan} runs=${next} refresh=${refresh} />
			<${Past} runs=${past} />
		<//>`;
}
