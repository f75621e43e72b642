/* Asks how much of a queue may be under way at once. It stays open with what was refused, so that it can be mended there. */
import { useState } from "preact/hooks";
import { Dialog } from "./dialog.js";
import { say } from "./notice.js";
import { queueAct } from "./work.js";
import { html } from "./html.js";

export function QueueLimit({ queue, title, close })
{
	const [most, setMost] = useState(String(queue.most ?? ""));
	const [error, setError] = useState(null);

	async function limit(number)
	{
		setError(null);
		try {
			await queueAct(queue, "limit", { most: number });
			say(number ? `At most ${number} at once at ${title}.` : `The work at ${title} has no limit of its own.`, "ok");
			close();
		} catch (refusal) {
			setError(refusal);
		}
	}

	function submit(event)
	{
		event.preventDefault();
		limit(Number(most));
	}

	return html`
		<${Dialog} title=${`How much at once at ${title}?`} onCancel=${close}>
			<form class="stack" onSubmit=${submit}>
				<p>What is under way goes on, also where it is more than that.</p>
				<label class="field">At most, by all workers together
					<input class="number" type="number" min="1" max="100000" step="1" required autofocus value=${most}
						onInput=${(event) => setMost(event.target.value)} /></label>
				${error && html`<p class="mistake" role="alert">${error.message}</p>`}
				<div class="row wrap end"><button type="button" onClick=${close}>Cancel</button>
					${queue.most && html`<button type="button" onClick=${() => limit(0)}>No limit</button>`}
					<button type="submit" class="primary">Set</button></div>
			</form>
		<//>`;
}
