/* One site: how its session is, whose it is, when it was last proved, and what can be done. */
import { account } from "../account.js";
import { remove } from "../api.js";
import { Badge } from "./badge.js";
import { ask } from "./dialog.js";
import { say } from "./notice.js";
import { livedWords, sessionWords } from "./session_words.js";
import { sessionsPart, vaultTrouble } from "./store.js";
import { Ago, now } from "./clock.js";
import { sessionStuck, signInHelps, stepWords, streamOpen } from "./words.js";
import { html } from "./html.js";

async function forget(site, session)
{
	const sure = await ask({
		title: `Forget ${session.account} at ${site.title}?`,
		text: session.kind === "device"
			? "Stead deletes what it keeps of this device's sign-in. Bookings do not need it."
			: "Stead deletes what it keeps of this sign-in. Bookings that need it will wait until you sign in again.",
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
	await sessionsPart.refresh();
}

/* What is kept beside what was proved has been used since, and nothing has shown yet that it works. */
function Times({ session })
{
	const lived = livedWords(session);

	return html`
		<div><dt>Last proved</dt><dd><${Ago} ms=${session.proved_at_ms} /></dd></div>
		${session.newest_at_ms && html`<div><dt>Used since</dt><dd><${Ago} ms=${session.newest_at_ms} />, not proved again</dd></div>`}
		${session.kind === "device" && html`<div><dt>Last used</dt><dd><${Ago} ms=${session.used_at_ms} /></dd></div>`}
		${session.signed_in_at_ms && html`<div><dt>Signed in</dt><dd><${Ago} ms=${session.signed_in_at_ms} /></dd></div>`}
		${lived && html`<div><dt>Sign-ins here lived</dt><dd>${lived}</dd></div>`}`;
}

function Session({ site, session })
{
	const { badge, reason } = sessionWords(session, { now: now.value, stale: Boolean(sessionsPart.trouble.value),
		locked: vaultTrouble.value });

	return html`
		<div class="session">
			<p class="row"><${Badge} words=${badge} />
				${session.kind === "device"
					&& html`<span class="quiet small">of the device ${session.fingerprint}</span>`}</p>
			${reason && html`<p class="reason">${reason}</p>`}
			<dl class="facts">
				<div><dt>Account</dt><dd>${session.account}</dd></div>
				<${Times} session=${session} />
			</dl>
			<button type="button" class="plain forget" onClick=${() => forget(site, session)}
				aria-label=${`Forget ${session.account} at ${site.title}${session.kind === "device" ? `, ${session.fingerprint}` : ""}`}>Forget</button>
		</div>`;
}

/*
 * A sign-in that failed since the session was saved; told here too, for its page may be closed by
 * now.
 */
function LastFailure({ sessions, streams })
{
	const saved = Math.max(0, ...(sessions ?? []).map((session) => session.saved_at_ms));
	const last = streams[0];

	if (!last || last.opened_at_ms < saved || streamOpen(last) || !["failed",
		"timed_out"].includes(last.step))
		return null;
	return html`<p class="box warn slim small"><span>The last sign-in (<${Ago} ms=${last.opened_at_ms} />)
		${" "}ended: ${stepWords(last.step).toLowerCase()}. ${last.reason} ${last.advice}</span></p>`;
}

/* What cannot be asked for, and why; where in the recipe is an administrator's business. */
function Off({ actions })
{
	return actions.map((action) => html`<p key=${action.name} class="box warn slim small"><span>${action.off}
		${account.value?.admin && html`<br /><code>${action.off_because}</code>`}</span></p>`);
}

function signInWords(session)
{
	return session ? "Sign in again" : "Sign in";
}

/* sessions: null while it is not known whether there are any. */
export function SiteCard({ site, sessions, streams })
{
	const open = streams.find(streamOpen);
	const session = sessions?.find((one) => one.kind === "background");
	const eager = sessions !== null && signInHelps(session);
	const at = `/sites/${encodeURIComponent(site.name)}`;

	return html`
		<article class="card site" aria-label=${site.title}>
			<h3>${site.title}</h3>
			<p class="quiet small host">${hostOf(site.home)}</p>
			${sessions?.map((one) => html`<${Session} key=${one.id} site=${site} session=${one} />`)}
			${!sessions && html`<p class="quiet">Whether you are signed in is not known just now.</p>`}
			${sessions && !session && html`<p>Not signed in yet. Sign in once; Stead proves
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
				${site.actions.filter((action) => !action.off).map((action) => html`<a key=${action.name}
					class=${`button ${eager || sessionStuck(session) ? "" : "primary"}`}
					href=${`${at}/book/${encodeURIComponent(action.name)}`}>${action.title}</a>`)}
			</div>
			<${Off} actions=${site.actions.filter((action) => action.off)} />
		</article>`;
}

function hostOf(home)
{
	return home.replace(/^\w+:\/\/([^/?#]+).*$/, "$1");
}
