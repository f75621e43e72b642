/* What time it is, for as long as somebody looks. */
import { signal } from "@preact/signals";
import { html } from "./html.js";
import { ago, exact } from "./time.js";

/* Turns once a second, but not in a page that nobody sees. */
export const now = signal(Date.now());

setInterval(() => {
	if (!document.hidden)
		now.value = Date.now();
}, 1000);

export function Ago({ ms })
{
	return html`<time datetime=${new Date(ms).toISOString()} title=${exact(ms)}>${ago(ms,
		now.value)}</time>`;
}
