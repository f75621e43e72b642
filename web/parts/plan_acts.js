/* What a person does with a plan from wherever it is shown. */
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { post, remove } from "../api.js";
import { ask, Dialog } from "./dialog.js";
import { say } from "./notice.js";
import { plansPart } from "./store.js";
import { dayInWords } from "./time.js";
import { html } from "./html.js";

/* Resolves to whether it was done. done: what is said then; undo: { label, run }. */
export async function planAct(plan, verb, params, done, undo = null)
{
	try {
		await post(`/plans/${plan.id}/${verb}`, params);
		if (done)
			say(done, "ok", undo);
		return true;
	} catch (error) {
		say(error.message, "bad");
		return false;
	} finally {
		plansPart.refresh();
	}
}

/* All of a plan's runs of a day. after(): what has been changed is shown anew. */
export async function planSkip(plan, day, after = () => {})
{
	await planAct(plan, "skip", { day }, `Skipped: ${dayInWords(day)}.`, { label: "Undo", run: async () => {
		await planAct(plan, "skip", { day, undo: true });
		after();
	} });
	after();
}

export async function planDelete(plan)
{
	const sure = await ask({ title: "Delete this plan?", text: "It asks for nothing more, and its history goes. The bookings that it has asked for stay.",
		yes: "Delete the plan", no: "Keep it", danger: true });

	if (!sure)
		return false;
	try {
		await remove(`/plans/${plan.id}`);
		say(`The plan "${plan.title}" is deleted.`);
	} catch (error) {
		say(error.message, "bad");
		return false;
	}
	await plansPart.refresh();
	return true;
}

const pausing = signal(null);

/* Asks until when; resolves when that is settled. */
export function planPause(plan)
{
	return new Promise((resolve) => {
		pausing.value = { plan, resolve };
	});
}

export function PausePlan()
{
	const [until, setUntil] = useState("");
	const asked = pausing.value;

	if (!asked)
		return null;

	async function end(pause)
	{
		pausing.value = null;
		setUntil("");
		if (pause)
			await planAct(asked.plan, "pause", until ? { until } : {}, "The plan is paused.");
		asked.resolve();
	}

	return html`
		<${Dialog} title="Pause this plan?" onCancel=${() => end(false)}>
			<p>It asks for nothing meanwhile; its history tells what it has skipped.</p>
			<label class="field">Until the morning of <span class="quiet small">(optional; without a day, until you resume it)</span>
				<input type="date" value=${until} onInput=${(event) => setUntil(event.target.value)} /></label>
			<div class="row end"><button type="button" autofocus onClick=${() => end(false)}>Cancel</button>
				<button type="button" class="primary" onClick=${() => end(true)}>Pause</button></div>
		<//>`;
}
