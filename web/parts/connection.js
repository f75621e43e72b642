import { now } from "./time.js";
import { html } from "./html.js";

/* Says that a live connection is away, and offers not to wait; says nothing while all is well. */
export function Connection({ live })
{
	if (live.state.value !== "lost")
		return null;

	const seconds = Math.ceil((live.retryAtMs.value - now.value) / 1000);

	return html`
		<div class="box warn slim" role="status">
			<span class="spinner" aria-hidden="true"></span>
			<span class="grow">Disconnected, reconnecting${seconds > 1
				? ` in ${seconds} s` : " …"}</span>
			<button type="button" onClick=${() => live.retryNow()}>Now</button>
		</div>`;
}
