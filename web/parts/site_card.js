/* One site: how its session is, whose it is, when it was last proved, and what can be done. */
import { remove } from "../api.js";
import { Badge } from "./badge.js";
import { ask } from "./dialog.js";
import { say } from "./notice.js";
import { refresh } from "./store.js";
import { Ago } from "./time.js";
import { healthWords, stepWords, streamOpen } from "./words.js";
import { html } from "./html.js";

async function forget(site, session)
{
	const sure = await ask({
		title: `Forget ${session.account} at ${site.title}?`,
		text: "Stead deletes what it keeps of this sign-in. Bookings that need it will wait until "
			+ "you sign in again.",
		yes: "Forget",
		danger: true,
	});

	if (!sure)
		return;
	try {
		await remove(`/sessions/${session.id}`, { confirm_protected: true });
		say(`${session.account} at ${site.title} is forgotten.`);
	} catch (error) {
		say(error.message, "bad");
	}
	await refresh();
}

function Session({ site, session })
{
	return html`
		<div class="session">
			<p class="row"><${Badge} words=${healthWords(session)} />
				${session.kind === "device"
					&& html`<span class="quiet small">a device's session</span>`}</p>
			${session.reason && html`<p class="reason">${session.reason}</p>`}
			<dl class="facts">
				<div><dt>Account</dt><dd>${session.account}</dd></div>
				<div><dt>Last proved</dt><dd><${Ago} ms=${session.proved_at_ms} /></dd></div>
			</dl>
			<button type="button" class="plain forget" onClick=${() => forget(site, session)}
				aria-label=${`Forget ${session.account} at ${site.title}`}>Forget</button>
		</div>`;
}

/*
 * A sign-in that failed since the session was saved; told here too, for its page may be closed by
 * now.
 */
function LastFailure({ sessions, streams })
{
	const saved = Math.max(0, ...sessions.map((session) => session.saved_at_ms));
	const last = streams[0];

	if (!last || last.opened_at_ms < saved || streamOpen(last) || !["failed",
		"timed_out"].includes(last.step))
		return null;
	return html`<p class="box warn slim small"><span>The last sign-in (<${Ago} ms=${last.opened_at_ms} />)
		${" "}ended: ${stepWords(last.step).toLowerCase()}. ${last.reason} ${last.advice}</span></p>`;
}

function signInWords(session)
{
	return session ? "Sign in again" : "Sign in";
}

export function SiteCard({ site, sessions, streams })
{
	const open = streams.find(streamOpen);
	const session = sessions.find((one) => one.kind === "background");
	const eager = !session || session.health !== "healthy";
	const at = `/sites/${encodeURIComponent(site.name)}`;

	return html`
		<article class="card site" aria-label=${site.title}>
			<h3>${site.title}</h3>
			<p class="quiet small host">${hostOf(site.home)}</p>
			${sessions.map((one) => html`<${Session} key=${one.id} site=${site} session=${one} />`)}
			${!sessions.length && html`<p>Not signed in yet. Sign in once; Stead proves
				that it works, keeps it
				and acts for you from then on.</p>`}
			<${LastFailure} sessions=${sessions} streams=${streams} />
			<div class="row wrap actions">
				${open
					? html`<a class="button primary"
						href=${`/streams/${encodeURIComponent(open.id)}`}>Go on
						signing in</a>`
					: html`<a class=${`button ${eager ? "primary" : ""}`}
						href=${`${at}/sign-in`}
						aria-label=${`${signInWords(session)} to ${site.title}`}>${signInWords(session)}</a>`}
				${site.actions.map((action) => html`<a key=${action.name}
					class=${`button ${eager ? "" : "primary"}`}
					href=${`${at}/book/${encodeURIComponent(action.name)}`}>${action.title}</a>`)}
			</div>
		</article>`;
}

function hostOf(home)
{
	return home.replace(/^\w+:\/\/([^/?#]+).*$/, "$1");
}
