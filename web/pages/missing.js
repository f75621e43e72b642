import { Page } from "../parts/frame.js";
import { html } from "../parts/html.js";

export function Missing({ path })
{
	return html`
		<${Page} title="Nothing here" back>
			<p>There is no page at <code>${path}</code>. Go back to the dashboard and
				start from there.</p>
		<//>`;
}
