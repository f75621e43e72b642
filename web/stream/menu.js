/*
 * The list of a select element, which is not in the picture: drawn here, where the element is, and
 * driven by keys.
 */
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../parts/html.js";
import { fromPage } from "./geometry.js";

const TYPE_AHEAD_MS = 800;
const LEAST_PX = 120;
const MARGIN_PX = 4;

function choosable(option)
{
	return !option.disabled && !option.heading;
}

function step(options, from, by)
{
	for (let at = from + by; at >= 0 && at < options.length; at += by)
		if (choosable(options[at]))
			return at;
	return from;
}

function useTypeAhead()
{
	const typed = useRef({ text: "", at: 0 });

	return (options, from, key, timeStamp) => {
		const state = typed.current;

		if (timeStamp - state.at >= TYPE_AHEAD_MS)
			state.text = "";
		state.text += key.toLowerCase();
		state.at = timeStamp;

		const begin = state.text.length > 1 ? from : from + 1;
		const first = Math.max(0, begin);
		const order = [...options.keys()].map((i) => (i + first) % options.length);

		return order.find((i) => choosable(options[i])
			&& options[i].label.trim().toLowerCase().startsWith(state.text)) ?? from;
	};
}

/* Below the element if there is room, else above it; never outside of the stage. */
function place(list, menu, canvas, page)
{
	const rect = canvas.getBoundingClientRect();
	const stage = list.offsetParent.getBoundingClientRect();
	const left = rect.left - stage.left;
	const top = rect.top - stage.top;
	const from = fromPage(menu.x, menu.y, rect, page);
	const to = fromPage(menu.x + menu.width, menu.y + menu.height, rect, page);
	const below = stage.height - (top + to.y) - 2 * MARGIN_PX;
	const above = top + from.y - 2 * MARGIN_PX;
	const up = below < Math.min(list.scrollHeight, LEAST_PX) && above > below;
	const room = Math.max(LEAST_PX, up ? above : below);

	list.style.minWidth = `${Math.min(to.x - from.x, stage.width - 2 * MARGIN_PX)}px`;
	list.style.maxHeight = `${room}px`;
	list.style.left = `${Math.max(MARGIN_PX, Math.min(left + from.x,
		stage.width - list.offsetWidth - MARGIN_PX))}px`;

	const y = up ? top + from.y - Math.min(list.offsetHeight, room) - 1 : top + to.y + 1;

	list.style.top = `${Math.max(MARGIN_PX, y)}px`;
}

/* choose(index), -1 for none */
export function Menu({ menu, canvas, page, choose })
{
	const { options } = menu;
	const list = useRef(null);
	const id = useId();
	const [at, setAt] = useState(() => {
		const chosen = options.findIndex((option) => option.selected);

		return chosen >= 0 ? chosen : step(options, -1, 1);
	});
	const typeAhead = useTypeAhead();

	useLayoutEffect(() => place(list.current, menu, canvas, page), [menu]);
	useLayoutEffect(() => list.current.focus({ preventScroll: true }), [menu]);
	useEffect(() => {
		list.current.querySelector(".at")?.scrollIntoView({ block: "nearest" });
	}, [at]);
	useEffect(() => {
		const outside = (event) => list.current.contains(event.target) || choose(-1);

		addEventListener("pointerdown", outside, true);
		return () => removeEventListener("pointerdown", outside, true);
	}, [menu]);

	function key(event)
	{
		const moves = {
			ArrowDown: () => step(options, at, 1),
			ArrowUp: () => step(options, at, -1),
			Home: () => step(options, -1, 1),
			End: () => step(options, options.length, -1),
		};

		if (event.ctrlKey || event.metaKey || event.altKey)
			return;
		if (moves[event.key])
			setAt(moves[event.key]());
		else if (event.key === "Enter" || (event.key === " " && at >= 0))
			choose(options[at] && choosable(options[at]) ? at : -1);
		else if (event.key === "Escape" || event.key === "Tab")
			choose(-1);
		else if ([...event.key].length === 1)
			setAt(typeAhead(options, at, event.key, event.timeStamp));
		else
			return;
		event.preventDefault();
	}

	return html`
		<ul ref=${list} class="menu" role="listbox" tabindex="0"
			aria-label="Choices of the page" onKeyDown=${key}
			aria-activedescendant=${at >= 0 ? `${id}-${at}` : undefined}>
			${options.map((option, i) => html`
				<li key=${i} id=${`${id}-${i}`} role="option" aria-selected=${String(i === at)}
					aria-disabled=${choosable(option) ? undefined : "true"}
					class=${`${i === at ? "at" : ""} ${option.heading ? "heading" : ""}`}
					onClick=${() => choosable(option) && choose(i)}>${option.label}</li>`)}
		</ul>`;
}
