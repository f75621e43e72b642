/* How far a sign-in has come. */
import { html } from "./html.js";
import { stepWords } from "./words.js";

const STEPS = ["starting", "waiting", "signed_in", "proving", "saved"];
const MARKS = { passed: "✓", current: "●", failed: "✕", ahead: "" };
const SPOKEN = { passed: "done", current: "now", failed: "ended here", ahead: "still to come" };

/*
 * step: where it stands; reached: the last of the five that it came to, if it ended before the
 * fifth.
 */
export function Steps({ step, reached })
{
	const ended = !STEPS.includes(step);
	const at = STEPS.indexOf(ended ? reached : step);

	function how(i)
	{
		if (i < at || step === "saved")
			return "passed";
		if (i > at)
			return "ahead";
		return ended ? "failed" : "current";
	}

	return html`
		<ol class="steps" aria-label="Steps of the sign-in">
			${STEPS.map((name, i) => html`
				<li key=${name} class=${how(i)} aria-current=${i === at ? "step" : undefined}>
					<span class="mark" aria-hidden="true">${MARKS[how(i)] || i + 1}</span>
					<span class="name">${i === at && ended ? stepWords(step)
						: stepWords(name)}</span>
					<span class="hidden">, ${SPOKEN[how(i)]}</span>
				</li>`)}
		</ol>`;
}
