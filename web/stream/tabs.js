/* The tabs and windows of the remote browser, once there is more than one: which is seen, the others, and a way out. */
import { html } from "../parts/html.js";

function nameOf({ title, host })
{
	return title ?? host ?? "An empty page";
}

export function Tabs({ viewer, back })
{
	const tabs = viewer.tabs.value;

	if (tabs.length < 2)
		return null;

	function say(method, tab)
	{
		viewer.speech.say(method, { tab });
		back();
	}

	return html`
		<nav class="tabs" aria-label="Tabs of the page"><ul>
			${tabs.map((one) => html`
				<li key=${one.tab} class=${one.front ? "front" : ""}>
					<button type="button" class="plain" aria-current=${one.front ? "page" : undefined}
						title=${one.host ? `${nameOf(one)} – ${one.host}` : nameOf(one)} disabled=${!viewer.driven}
						onClick=${() => say("tab_show", one.tab)}><span>${nameOf(one)}</span></button>
					<button type="button" class="plain icon" aria-label=${`Close ${nameOf(one)}`}
						disabled=${!viewer.driven} onClick=${() => say("tab_close", one.tab)}>✕</button>
				</li>`)}
		</ul></nav>`;
}
