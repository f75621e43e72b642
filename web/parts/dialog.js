/* Dialogs over the page, and a question that is awaited like a call. */
import { signal } from "@preact/signals";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { html } from "./html.js";

/* onCancel: what Escape does; without it Escape does nothing. */
export function Dialog({ title, onCancel, children, tone = "" })
{
	const element = useRef(null);
	const id = useId();

	/* At once, for the next key may already be meant for it; closed, and not just gone, it gives the focus back to where it was. */
	useLayoutEffect(() => {
		const dialog = element.current;

		dialog.showModal();
		return () => dialog.close();
	}, []);

	function cancel(event)
	{
		event.preventDefault();
		onCancel?.();
	}

	function key(event)
	{
		if (event.key === "Escape")
			cancel(event);
	}

	/*
	 * Browsers close a dialog without asking when they are pressed hard enough; one that must
	 * be answered stays.
	 */
	function closed(event)
	{
		if (event.target !== element.current || !element.current.isConnected)
			return;
		if (onCancel)
			onCancel();
		else
			element.current.showModal();
	}

	return html`
		<dialog ref=${element} class=${`dialog ${tone}`} aria-labelledby=${id} onCancel=${cancel}
			onClose=${closed} onKeyDown=${key}>
			<h2 id=${id}>${title}</h2>
			${children}
		</dialog>`;
}

const question = signal(null);

/* Resolves to true when the person says yes. */
export function ask({ title, text, yes, no = "Cancel", danger = false })
{
	return new Promise((resolve) => {
		question.value = { title, text, yes, no, danger, resolve };
	});
}

export function Question()
{
	const asked = question.value;

	if (!asked)
		return null;

	function give(value)
	{
		question.value = null;
		asked.resolve(value);
	}

	return html`
		<${Dialog} title=${asked.title} onCancel=${() => give(false)}>
			<p>${asked.text}</p>
			<div class="row end">
				<button type="button" autofocus
					onClick=${() => give(false)}>${asked.no}</button>
				<button type="button" class=${asked.danger ? "danger" : "primary"}
					onClick=${() => give(true)}>${asked.yes}</button>
			</div>
		<//>`;
}
