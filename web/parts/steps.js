/* How far a sign-in has come. */
import { html } from "./html.js";
import { stepWords } from "./words.js";

const STEPS = ["starting", "waiting", "signed_in", "proving", "saved"];
const MARKS = { passed: "✓", current: "●", failed: "✕", ahead: "" };
const SPOKEN = { passed: "done", current: "now", failed: "ended here", ahead: "still to come" };

/*
 * step: where it stands; reached: the last of the five that it came to, if it ended before the
 * fifth; asks: there it waits for an answer.
 */
export function Steps({ step, reached, asks = false })
{
	const ended = !STEPS.includes(step);
	const at = STEPS.indexOf(ended ? reached ?? "starting" : step);

	function how(i)
	{
		if (i < at || step === "saved")
			return "passed";
		if (i > at)
			return "ahead";
		return ended ? "failed" : "current";
	}

	function nameOf(name, i)
	{
		if (i !== at)
			return stepWords(name);
		return asks ? "Your answer" : stepWords(step);
	}

	return html`
		<ol class="steps" aria-label="Steps of the sign-in">
			${STEPS.map((name, i) => html`
				<li key=${name} class=${how(i)} aria-current=${i === at ? "step" : undefined}>
					<span class="mark" aria-hidden="true">${MARKS[how(i)] || i + 1}</span>
					<span class="name">${nameOf(name, i)}</span>
					<span class="hidden">, ${SPOKEN[how(i)]}</span>
				</li>`)}
		</ol>`;
}
