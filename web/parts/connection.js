import { RetryTime } from "./notice.js";
import { now } from "./clock.js";
import { html } from "./html.js";

/*
 * Requests are answered and the WebSocket never opens. There are two causes, and the page cannot tell which it is; both are for
 * whoever set Stead up.
 */
function Blocked({ live })
{
	return html`
		<div class="box warn part" role="status">
			<div class="grow"><p>Nothing can be seen live here: Stead answers, but its live connection (a WebSocket) does not open. Your
				administrator can mend that; it is tried again by itself<${RetryTime} atMs=${live.retryAtMs} />.</p>
			<p class="small detail">For administrators: either <code>origin</code> in stead.conf does not name the
				address of this page (<code>origin = ${location.origin}</code>, then <code>systemctl restart
				stead.target</code>), or a proxy between here and Stead does not pass on <code>Upgrade</code> (in nginx:
				${" "}<code>proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection
				upgrade;</code>).</p></div>
			<button type="button" onClick=${() => live.retryNow()}>Try now</button>
		</div>`;
}

/* Says that a live connection is away, and offers not to wait; says nothing while all is well. */
export function Connection({ live })
{
	if (live.blocked.value && live.state.value !== "ended")
		return html`<${Blocked} live=${live} />`;
	if (live.state.value !== "lost")
		return null;

	const seconds = Math.ceil((live.retryAtMs.value - now.value) / 1000);

	return html`
		<div class="box warn slim" role="status">
			<span class="spinner" aria-hidden="true"></span>
			<span class="grow">Disconnected, reconnecting<span aria-hidden="true">${seconds > 1
				? ` in ${seconds} s` : " …"}</span></span>
			<button type="button" onClick=${() => live.retryNow()}>Now</button>
		</div>`;
}
