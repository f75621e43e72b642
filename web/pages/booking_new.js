/*
 * A form made of an action's inputs. Several days make several bookings, each asked for on its own.
 */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get } from "../api.js";
import { cameFrom } from "../router.js";
import { draftKeep } from "../parts/draft.js";
import { Field, DateList } from "../parts/fields.js";
import { Loading, Page } from "../parts/frame.js";
import { Trouble } from "../parts/notice.js";
import { useRetry } from "../parts/part.js";
import { Orders, orderSend } from "../parts/orders.js";
import { site as siteLoad } from "../parts/store.js";
import { bookingRetryable } from "../parts/words.js";
import { html } from "../parts/html.js";

/*
 * Where there is just one day to give, several may be given; with two (from, until) that would mean
 * nothing.
 */
function dayInput(action)
{
	const dates = action.inputs.filter((input) => input.type === "date");

	return dates.length === 1 ? dates[0].name : null;
}

/* given: the inputs of the booking that this one is to be like, if any. */
function startValues(action, given)
{
	return Object.fromEntries(action.inputs.map((input) => {
		const value = given?.[input.name] ?? input.value ?? "";

		return [input.name, input.name === dayInput(action) ? [value] : value];
	}));
}

function mistakesOf(action, values)
{
	const found = {};

	for (const { name, label, required, type } of action.inputs) {
		const given = [values[name]].flat().map((one) => one.trim()).filter(Boolean);

		if (required && !given.length)
			found[name] = type === "date" ? `${label}: give at least one day.`
				: `${label} is needed.`;
		else if (new Set(given).size !== given.length)
			found[name] = "The same day is there twice; remove one of them.";
	}
	return found;
}

/*
 * One object of inputs for each day; what was left empty is left out, so that the recipe's own
 * value holds.
 */
function requestsOf(action, values)
{
	const several = dayInput(action);
	const plain = Object.entries(values).filter(([name, value]) => name !== several
		&& value !== "");
	const days = several ? values[several].filter(Boolean).sort() : [];

	if (!days.length)
		return [{ label: action.title, inputs: Object.fromEntries(plain) }];
	return days.map((day) => ({ day, label: action.title,
		inputs: { ...Object.fromEntries(plain), [several]: day } }));
}

/* What goes along to a plan, whose days are its runs' own. */
function plainValues(action, values)
{
	return Object.fromEntries(action.inputs.filter(({ type }) => type !== "date").map(({ name }) => [name, values[name]]));
}

function Form({ site, action, given })
{
	const [values, setValues] = useState(() => startValues(action, given));
	const [mistakes, setMistakes] = useState({});
	const [orders, setOrders] = useState(null);
	const form = useRef(null);

	function set(name, value)
	{
		setValues((old) => ({ ...old, [name]: value }));
		setMistakes((old) => ({ ...old, [name]: undefined }));
	}

	function submit(event)
	{
		event.preventDefault();

		const found = mistakesOf(action, values);

		setMistakes(found);
		if (Object.keys(found).length) {
			form.current.querySelector(`[data-input="${CSS.escape(Object.keys(found)[0])}"]`)?.focus();
			return;
		}
		setOrders(requestsOf(action, values).map((request) => orderSend(site, action,
			request)));
	}

	/*
	 * The server's view of a field is shown at that field, and the form is back with all that
	 * was typed.
	 */
	function refused(error)
	{
		const name = error.field?.replace(/^inputs\.?/, "");

		setOrders(null);
		setMistakes({ [action.inputs.some((input) => input.name === name) ? name
			: ""]: error.message });
	}

	/* What has become a booking is not asked for a second time. */
	function again(unsent)
	{
		const several = dayInput(action);

		if (several && unsent.length)
			set(several, unsent.map((inputs) => inputs[several]));
		setOrders(null);
	}

	if (orders)
		return html`<${Orders} orders=${orders} refused=${refused} again=${again} />`;
	return html`
		<form ref=${form} class="card stack form" novalidate onSubmit=${submit}>
			<div role="alert">${mistakes[""]
				&& html`<p class="box bad slim">${mistakes[""]}</p>`}</div>
			${action.inputs.map((input) => input.name === dayInput(action)
				? html`<${DateList} key=${input.name} input=${input}
					values=${values[input.name]}
					mistake=${mistakes[input.name]}
						set=${(value) => set(input.name, value)} />`
				: html`<${Field} key=${input.name} input=${input} value=${values[input.name]}
					mistake=${mistakes[input.name]}
						set=${(value) => set(input.name, value)} />`)}
			<div class="row wrap"><button type="submit" class="primary">${action.title}</button>
				<a class="button" href=${`/sites/${encodeURIComponent(site.name)}/plan/${encodeURIComponent(action.name)}`}
					onClick=${() => draftKeep(site.name, action.name, plainValues(action, values))}>Repeat …</a>
				<a class="button" href=${cameFrom() ?? "/"}>Cancel</a></div>
		</form>`;
}

/* The inputs of that booking; its day only if it is still to be had. */
function likeIt(site, booking)
{
	const action = site?.actions.find((one) => one.name === booking.action);
	const day = action && dayInput(action);

	return bookingRetryable(booking) ? booking.inputs : { ...booking.inputs, [day]: "" };
}

/* Everything that the form begins with. */
async function formLoad(name)
{
	const from = cameFrom();
	/* The form does without what cannot be had just now; sessions: null if that is not known. */
	const [site, sessions, like] = await Promise.all([siteLoad(name),
		get("/sessions").then((got) => got.sessions, () => null),
		from && get(from).catch(() => null)]);
	const session = sessions?.find((one) => one.site === name && one.kind === "background");

	return { site, session, waits: sessions && (!session || ["needs_sign_in", "not_portable"].includes(session.health)),
		given: like?.booking.site === name ? likeIt(site, like.booking) : null };
}

/* What is sent now waits, which one must know before and not after. */
function Waits({ site, session })
{
	return html`
		<p class="box warn slim"><span>${session ? `${site.title} asks for you again.`
			: `You have not signed in to ${site.title} yet.`}
			${" "}What you send now waits until you have signed in, and then goes on by itself.
			${" "}<a href=${`/sites/${encodeURIComponent(site.name)}/sign-in`}>Sign in first</a></span></p>`;
}

export function BookingNew({ site: name, action: wanted })
{
	const [loaded, setLoaded] = useState(undefined);
	const [trouble, setTrouble] = useState(null);
	const load = useCallback(() => {
		formLoad(name).then((got) => {
			setLoaded(got);
			setTrouble(null);
		}, setTrouble);
	}, [name]);
	const { again, atMs } = useRetry(trouble, load);
	const site = loaded?.site;
	const action = site?.actions.find((one) => one.name === wanted);

	useEffect(load, [name]);
	if (trouble || loaded === undefined)
		return html`<${Page} title="New booking" back>
			${trouble ? html`<${Trouble} error=${trouble}
				retry=${again} atMs=${atMs} />` : html`<${Loading} what="Loading …" />`}<//>`;
	if (action?.off)
		return html`<${Page} title=${action.title} back><p class="box warn"><span>${action.off}</span></p><//>`;
	if (!action)
		return html`<${Page} title="New booking" back>
			<p>There is no such action at this site. Its recipe may have changed; go
				back to the dashboard and
			choose again.</p><//>`;
	return html`
		<${Page} key="form" title=${`${action.title} – ${site.title}`} heading=${action.title} back>
			<p class="quiet">${site.title}. Stead asks the site as soon as you send this, and reads your bookings there
				before it says that anything is booked.</p>
			${loaded.waits && html`<${Waits} site=${site} session=${loaded.session} />`}
			<${Form} site=${site} action=${action} given=${loaded.given} />
		<//>`;
}
