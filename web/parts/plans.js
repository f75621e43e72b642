/* The plans on the dashboard: what each does next. */
import { Badge } from "./badge.js";
import { planAct, planPause, planSkip } from "./plan_acts.js";
import { plansPart, siteTitle } from "./store.js";
import { PLANS } from "./words.js";
import { html } from "./html.js";

function next(plan)
{
	if (plan.state === "ended")
		return "It has no further run.";
	return plan.next_when ? `Next: ${plan.next_when}` : "No run until it is resumed.";
}

function PlanRow({ plan })
{
	return html`
		<li class="card line plan">
			<span class="grow">
				<a class="what" href=${`/plans/${plan.id}`}>${plan.title}</a>
				<span class="quiet small block">${siteTitle(plan.site)}${" · "}${plan.when}</span>
				<span class="small block">${next(plan)}</span>
				${plan.trouble && html`<span class="reason small">${plan.trouble}</span>`}
			</span>
			<${Badge} words=${plan.trouble ? [PLANS[plan.state][0], "warn"] : PLANS[plan.state]} />
			${plan.state === "on" && plan.next_day && html`<button type="button" aria-label=${`Skip the next run of ${plan.title}`}
				onClick=${() => planSkip(plan, plan.next_day)}>Skip next</button>`}
			${plan.state === "on" && html`<button type="button" aria-label=${`Pause ${plan.title}`}
				onClick=${() => planPause(plan)}>Pause …</button>`}
			${plan.state === "paused" && html`<button type="button" aria-label=${`Resume ${plan.title}`}
				onClick=${() => planAct(plan, "resume", {}, "The plan goes on.")}>Resume</button>`}
		</li>`;
}

export function PlanRows()
{
	const plans = plansPart.value.value;

	if (!plans?.length)
		return plans && html`<div class="card empty"><p><strong>No plans yet.</strong></p>
			<p>What you ask for again and again Stead can ask for by itself: <em>Repeat …</em> on the form of a booking.</p></div>`;
	return html`<ul class="plain-list">${plans.map((plan) => html`<${PlanRow} key=${plan.id} plan=${plan} />`)}</ul>`;
}
