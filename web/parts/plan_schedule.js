/* When a plan runs, as a form has it: days of the week and times, or one day; and what it would do then. */
import { useEffect, useId, useState } from "preact/hooks";
import { post } from "../api.js";
import { PLAN_MISSED } from "./words.js";
import { html } from "./html.js";

const WEEK = [["mon", "Mon"], ["tue", "Tue"], ["wed", "Wed"], ["thu", "Thu"], ["fri", "Fri"], ["sat", "Sat"], ["sun", "Sun"]];
const PAUSE_MS = 400;
const MOST_TIMES = 24;

/* As the form begins: given is a plan's schedule, or null. */
export function scheduleStart(given)
{
	const once = Boolean(given?.last) && given.first === given.last;

	return { once, days: once ? ["mon"] : given?.days ?? ["mon"], times: given?.times ?? ["08:00"], day: once ? given.first : "",
		first: given && !once ? given.first : "", last: given && !once ? given.last ?? "" : "", missed: given?.missed ?? "run_late" };
}

/* As Stead takes it. */
export function scheduleSent(form)
{
	const { once, days, times, day, first, last, missed } = form;

	return { times: times.filter(Boolean), missed, ...(once ? { first: day, last: day } : { days, ...(first && { first }), ...(last && { last }) }) };
}

/* What is missing, by the name of the field; the rest Stead says. */
export function scheduleMistakes(form)
{
	return { ...(form.once && !form.day && { "schedule.first": "Give the day." }),
		...(!form.once && !form.days.length && { "schedule.days": "Choose at least one day of the week." }),
		...(!form.times.some(Boolean) && { "schedule.times": "Give at least one time." }) };
}

function Mistake({ text, id })
{
	return text ? html`<span class="mistake small" role="alert" id=${id}>${text}</span>` : null;
}

function Kind({ form, set })
{
	const name = useId();
	const choice = (once, label) => html`<label class="choice"><input type="radio" name=${name} checked=${form.once === once}
		onChange=${() => set({ once })} /> ${label}</label>`;

	return html`<fieldset class="field choices"><legend>How often</legend>
		<div class="row wrap">${choice(false, "Every week")}${choice(true, "Once")}</div></fieldset>`;
}

function Days({ form, set, mistake })
{
	const toggle = (day) => set({ days: WEEK.map(([one]) => one).filter((one) => form.days.includes(one) !== (one === day)) });

	return html`<fieldset class="field choices"><legend>Days</legend>
		<div class="row wrap">${WEEK.map(([day, label]) => html`<label key=${day} class="choice"><input type="checkbox"
			data-input=${day === "mon" ? "schedule.days" : undefined} checked=${form.days.includes(day)}
			onChange=${() => toggle(day)} /> ${label}</label>`)}</div>
		<${Mistake} text=${mistake} /></fieldset>`;
}

function Times({ form, set, mistake })
{
	const put = (at, value) => set({ times: form.times.map((old, i) => i === at ? value : old) });

	return html`<fieldset class="field choices"><legend>${form.times.length > 1 ? "Times" : "Time"}</legend>
		<div class="row wrap">${form.times.map((time, at) => html`<span key=${at} class="row time">
			<input type="time" required aria-label=${form.times.length > 1 ? `Time ${at + 1}` : "Time"} value=${time}
				data-input=${at ? undefined : "schedule.times"} aria-invalid=${mistake ? "true" : undefined}
				onInput=${(event) => put(at, event.target.value)} />
			${form.times.length > 1 && html`<button type="button" class="plain icon" aria-label=${`Remove ${time || "this time"}`}
				onClick=${() => set({ times: form.times.filter((_, i) => i !== at) })}>✕</button>`}</span>`)}
		${!form.once && form.times.length < MOST_TIMES && html`<button type="button"
			onClick=${() => set({ times: [...form.times, ""] })}>Add a time</button>`}</div>
		<span class="quiet small">By the clock at the site.</span>
		<${Mistake} text=${mistake} /></fieldset>`;
}

function Day({ label, value, set, name, mistake, optional })
{
	const id = useId();

	return html`<div class="field"><label for=${id}>${label}${optional && html` <span class="quiet small">(optional)</span>`}</label>
		<input id=${id} type="date" value=${value} data-input=${name} aria-invalid=${mistake ? "true" : undefined}
			onInput=${(event) => set(event.target.value)} /><${Mistake} text=${mistake} /></div>`;
}

function Missed({ form, set })
{
	const id = useId();

	return html`<div class="field"><label for=${id}>Runs that Stead misses, because it is down</label>
		<select id=${id} value=${form.missed} onInput=${(event) => set({ missed: event.target.value })}>
			${Object.entries(PLAN_MISSED).map(([word, label]) => html`<option key=${word} value=${word}>${label}</option>`)}</select></div>`;
}

/* set({ ... }): what has changed of the form. */
export function Schedule({ form, set, mistakes })
{
	return html`
		<${Kind} form=${form} set=${set} />
		${form.once ? html`<${Day} label="Day of the run" name="schedule.first" value=${form.day} mistake=${mistakes["schedule.first"]}
			set=${(day) => set({ day })} />` : html`<${Days} form=${form} set=${set} mistake=${mistakes["schedule.days"]} />`}
		<${Times} form=${form} set=${set} mistake=${mistakes["schedule.times"]} />
		${!form.once && html`<div class="pair">
			<${Day} label="First day" optional name="schedule.first" value=${form.first} mistake=${mistakes["schedule.first"]}
				set=${(first) => set({ first })} />
			<${Day} label="Last day" optional name="schedule.last" value=${form.last} mistake=${mistakes["schedule.last"]}
				set=${(last) => set({ last })} /></div>`}
		<${Missed} form=${form} set=${set} />`;
}

/* What Stead would do, asked for when nothing has been typed for a moment. */
function usePreview(wish)
{
	const [got, setGot] = useState(null);
	const key = JSON.stringify(wish);

	useEffect(() => {
		let over = false;
		const timer = setTimeout(() => {
			post("/plans/preview", wish).then((preview) => over || setGot(preview), (error) => over || setGot({ error }));
		}, PAUSE_MS);

		return () => {
			over = true;
			clearTimeout(timer);
		};
	}, [key]);
	return got;
}

export function Preview({ wish })
{
	const got = usePreview(wish);

	return html`<section class="preview" aria-live="polite" aria-label="The next runs">
		${!got && html`<p class="quiet small">Looking when that is …</p>`}
		${got?.error && html`<p class="quiet small">${got.error.message}</p>`}
		${got?.next && html`<p><strong>${got.when}</strong> <span class="quiet small">(${got.time_zone})</span></p>
			<ol class="runs small">${got.next.map((run) => html`<li key=${run.at_ms}>${run.when}${run.title && `: ${run.title}`}
				${run.note && html` <span class="quiet">${run.note}</span>`}</li>`)}</ol>`}
	</section>`;
}
