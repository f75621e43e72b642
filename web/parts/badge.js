import { html } from "./html.js";

/* A state as a word; the mark differs in shape too, for colour alone tells some people nothing. */
const MARKS = { ok: "✓", warn: "!", bad: "✕", busy: "…", quiet: "•" };

export function Badge({ words: [text, tone] })
{
	return html`<span class=${`badge ${tone}`}><span aria-hidden="true">${MARKS[tone]}</span> ${text}</span>`;
}
