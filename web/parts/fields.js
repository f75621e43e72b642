/*
 * The inputs of a form: label, help and mistake belong to the input for eyes and screen readers
 * alike.
 */
import { useId, useRef } from "preact/hooks";
import { dayInWords } from "./time.js";
import { html } from "./html.js";

const MOST_DAYS = 31;

function Hints({ id, input, mistake })
{
	return html`
		${input.help && html`<span class="quiet small" id=${`${id}-help`}>${input.help}</span>`}
		${mistake && html`<span class="mistake small" id=${`${id}-mistake`}
			role="alert">${mistake}</span>`}`;
}

function describedBy(id, input, mistake)
{
	return [input.help && `${id}-help`, mistake && `${id}-mistake`].filter(Boolean).join(" ")
		|| undefined;
}

function Optional({ input })
{
	/* One with a value of its own cannot be left empty either. */
	return input.required || input.value ? null : html` <span class="quiet small">(optional)</span>`;
}

/* What people see of a choice. */
export function choiceLabel(input, choice)
{
	return input.labels?.[input.choices?.indexOf(choice)] ?? choice;
}

export function Field({ input, value, mistake, set })
{
	const id = useId();
	const common = {
		id, "data-input": input.name, "aria-describedby": describedBy(id, input, mistake),
		"aria-invalid": mistake ? "true" : undefined,
		"aria-required": input.required ? "true" : undefined,
		onInput: (event) => set(event.target.value),
	};

	return html`
		<div class="field">
			<label for=${id}>${input.label}<${Optional} input=${input} /></label>
			${input.type === "choice" && input.choices?.length
				? html`<select ...${common} value=${value}>
					${!input.value && (!input.required || !value) && html`<option value="">
						${input.required ? "Choose …" : "No preference"}</option>`}
					${input.choices.map((choice) => html`<option key=${choice}
						value=${choice}>${choiceLabel(input, choice)}</option>`)}
				</select>`
				: html`<input ...${common} maxlength="1024"
					type=${input.type === "date" ? "date" : "text"}
					min=${input.earliest} max=${input.latest}
					value=${value} />`}
			<${Hints} id=${id} input=${input} mistake=${mistake} />
		</div>`;
}

/* The day after, as people add days in a row. */
function nextDay(date)
{
	const ms = Date.parse(`${date}T00:00:00Z`);

	return Number.isNaN(ms) ? "" : new Date(ms + 86400000).toISOString().slice(0, 10);
}

function without(values, at)
{
	return values.filter((_, i) => i !== at);
}

export function DateList({ input, values, mistake, set })
{
	const id = useId();
	const list = useRef(null);

	function add()
	{
		set([...values, nextDay(values.at(-1))]);
		/* The new row exists after the next rendering. */
		requestAnimationFrame(() => list.current?.querySelector("li:last-child input")?.focus());
	}

	return html`
		<fieldset class="field dates" aria-describedby=${describedBy(id, input, mistake)}>
			<legend>${input.label}<${Optional} input=${input} /></legend>
			<ul ref=${list} class="plain-list">
				${values.map((value, at) => html`
					<li key=${at} class="row">
						<input type="date" aria-label=${values.length > 1
							? `${input.label} ${at + 1}` : input.label}
							data-input=${at ? undefined : input.name}
							aria-invalid=${mistake ? "true" : undefined}
							min=${input.earliest} max=${input.latest}
							value=${value}
							onInput=${(event) => set(values.map((old, i) =>
								i === at ? event.target.value : old))} />
						<span class="quiet small grow">${dayInWords(value)}</span>
						${values.length > 1 && html`<button type="button" class="plain"
							aria-label=${`Remove ${dayInWords(value) || "this day"}`}
							onClick=${() => set(without(values, at))}>Remove</button>`}
					</li>`)}
			</ul>
			<${Hints} id=${id} input=${input} mistake=${mistake} />
			${values.length < MOST_DAYS && html`<p><button type="button"
				onClick=${add}>Add another day</button>
				<span class="quiet small"> Each day becomes a booking of its own.</span></p>`}
		</fieldset>`;
}
