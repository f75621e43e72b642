/* The form of a plan, new or to be changed: an action's inputs, with days that go by the run's, and when it runs. */
import { useCallback, useEffect, useId, useRef, useState } from "preact/hooks";
import { get, post } from "../api.js";
import { navigate } from "../router.js";
import { draftTake } from "../parts/draft.js";
import { Field } from "../parts/fields.js";
import { Loading, Page } from "../parts/frame.js";
import { Trouble } from "../parts/notice.js";
import { useRetry } from "../parts/part.js";
import { Preview, Schedule, scheduleMistakes, scheduleSent, scheduleStart } from "../parts/plan_schedule.js";
import { plansPart, site as siteLoad } from "../parts/store.js";
import { uuid } from "../parts/uuid.js";
import { html } from "../parts/html.js";

const WEEK_DAYS = 7;
const AHEAD = 14;
const DAY_MS = 86400000;

function mostAhead(input)
{
	return input.latest && input.earliest ? Math.round((Date.parse(input.latest) - Date.parse(input.earliest)) / DAY_MS) : 365;
}

/* values: of the other inputs; ahead: of days, how many after the run's, unless the plan runs once. */
function formStart(action, given)
{
	const values = {}, ahead = {};

	for (const input of action.inputs) {
		const value = given?.[input.name] ?? input.value ?? "";

		if (input.type === "date")
			ahead[input.name] = /^\+\d+$/.test(value) ? value.slice(1) : String(Math.min(AHEAD, mostAhead(input)));
		values[input.name] = input.type === "date" && !/^\d{4}-/.test(value) ? "" : value;
	}
	return { values, ahead };
}

/* A date that is given by the run's goes as "+14". */
function inputsSent(action, { values, ahead }, once)
{
	const all = action.inputs.map(({ name, type }) => [name, type === "date" && !once ? ahead[name] && `+${ahead[name]}` : values[name]]);

	return Object.fromEntries(all.filter(([, value]) => value));
}

function mistakesOf(action, inputs, schedule)
{
	const needed = action.inputs.filter(({ name, required }) => required && !String(inputs[name] ?? "").trim());

	return { ...Object.fromEntries(needed.map(({ name, label }) => [`inputs.${name}`, `${label} is needed.`])), ...scheduleMistakes(schedule) };
}

function later(days)
{
	const n = Number(days);

	if (n === 0)
		return "the day of the run";
	if (n % WEEK_DAYS === 0)
		return n === WEEK_DAYS ? "the same weekday, a week later" : `the same weekday, ${n / WEEK_DAYS} weeks later`;
	return "";
}

function Ahead({ input, value, mistake, set })
{
	const id = useId();

	return html`<div class="field"><label for=${id}>${input.label}</label>
		<span class="row wrap"><input id=${id} type="number" inputmode="numeric" class="number" min="0" max=${mostAhead(input)} value=${value}
			data-input=${`inputs.${input.name}`} aria-invalid=${mistake ? "true" : undefined}
			onInput=${(event) => set(event.target.value)} /> days after the run <span class="quiet small">${later(value)}</span></span>
		${mistake && html`<span class="mistake small" role="alert">${mistake}</span>`}</div>`;
}

/* The same wish has the same key, so that sending it again makes no second plan. */
function useKey(wish)
{
	const kept = useRef({});
	const text = JSON.stringify(wish);

	if (kept.current.text !== text)
		kept.current = { text, key: uuid() };
	return kept.current.key;
}

function useSending(wish, plan)
{
	const [state, setState] = useState({ busy: false, mistakes: {} });
	const key = useKey(wish);

	async function send()
	{
		setState({ busy: true, mistakes: {} });
		try {
			const { schedule, inputs } = wish;
			const { plan: kept } = plan ? await post(`/plans/${plan.id}/change`, { schedule, inputs }) : await post("/plans", { key, ...wish });

			plansPart.refresh();
			navigate(`/plans/${kept.id}`, { replace: true });
		} catch (error) {
			setState({ busy: false, mistakes: { [error.field ?? ""]: error.message } });
		}
	}

	return { ...state, send, mistaken: (mistakes) => setState({ busy: false, mistakes }) };
}

function Form({ site, action, plan, draft })
{
	const [fields, setFields] = useState(() => formStart(action, plan?.inputs ?? draft));
	const [schedule, setSchedule] = useState(() => scheduleStart(plan?.schedule));
	const form = useRef(null);
	const inputs = inputsSent(action, fields, schedule.once);
	const wish = { site: site.name, action: action.name, inputs, schedule: scheduleSent(schedule) };
	const { busy, mistakes, send, mistaken } = useSending(wish, plan);
	const known = [...action.inputs.map(({ name }) => `inputs.${name}`), "schedule.days", "schedule.times", "schedule.first", "schedule.last"];
	const other = Object.entries(mistakes).find(([field]) => !known.includes(field));

	function put(part, name, value)
	{
		setFields((old) => ({ ...old, [part]: { ...old[part], [name]: value } }));
	}

	function submit(event)
	{
		const found = mistakesOf(action, inputs, schedule);
		const [first] = Object.keys(found);

		event.preventDefault();
		if (!first)
			return send();
		mistaken(found);
		form.current.querySelector(`[data-input="${CSS.escape(first)}"]`)?.focus();
		return undefined;
	}

	return html`
		<form ref=${form} class="card stack form" novalidate onSubmit=${submit}>
			<div role="alert">${other && html`<p class="box bad slim">${other[1]}</p>`}</div>
			<${Schedule} form=${schedule} mistakes=${mistakes} set=${(change) => setSchedule((old) => ({ ...old, ...change }))} />
			${action.inputs.map((input) => input.type === "date" && !schedule.once
				? html`<${Ahead} key=${input.name} input=${input} value=${fields.ahead[input.name]} mistake=${mistakes[`inputs.${input.name}`]}
					set=${(value) => put("ahead", input.name, value)} />`
				: html`<${Field} key=${input.name} input=${input.type === "date" ? { ...input, latest: undefined } : input}
					value=${fields.values[input.name]} mistake=${mistakes[`inputs.${input.name}`]}
					set=${(value) => put("values", input.name, value)} />`)}
			<${Preview} wish=${wish} />
			<div class="row"><button type="submit" class="primary" disabled=${busy}>${busy ? "Sending …" : plan ? "Change the plan" : "Keep this plan"}</button>
				<a class="button" href=${plan ? `/plans/${plan.id}` : "/"}>Cancel</a></div>
		</form>`;
}

/* Of a plan that there is, its site and action come with it. */
async function formLoad({ id, site: name, action: wanted })
{
	const plan = id ? (await get(`/plans/${id}`)).plan : null;
	const site = await siteLoad(plan?.site ?? name);

	return { plan, site, action: site?.actions.find((one) => one.name === (plan?.action ?? wanted)), draft: plan ? null : draftTake(name, wanted) };
}

export function PlanForm(props)
{
	const [loaded, setLoaded] = useState(null);
	const [trouble, setTrouble] = useState(null);
	const load = useCallback(() => {
		formLoad(props).then((got) => {
			setLoaded(got);
			setTrouble(null);
		}, setTrouble);
	}, [props.path]);
	const { again, atMs } = useRetry(trouble, load);
	const title = props.id ? "Change the plan" : "New plan";

	useEffect(load, [props.path]);
	if (trouble || !loaded)
		return html`<${Page} title=${title} back>${trouble ? html`<${Trouble} error=${trouble} retry=${again} atMs=${atMs} />`
			: html`<${Loading} what="Loading …" />`}<//>`;

	const { site, action, plan, draft } = loaded;

	if (!action || action.off)
		return html`<${Page} title=${title} back><p class="box warn"><span>${action?.off
			?? "There is no such action at this site any more; its recipe may have changed."}</span></p><//>`;
	return html`
		<${Page} key="form" title=${`${title} – ${action.title}`} heading=${plan ? plan.title : `${action.title}, by itself`} back>
			<p class="quiet">${site.title}. At each run Stead asks for it as if you had, and tells you what became of it.</p>
			<${Form} site=${site} action=${action} plan=${plan} draft=${draft} />
		<//>`;
}
