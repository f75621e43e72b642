/* Where the remote browser is, so that nobody types a password into the wrong page. */
import { useState } from "preact/hooks";
import { Dialog } from "../parts/dialog.js";
import { html } from "../parts/html.js";

function parts(url)
{
	try {
		const { protocol, host, pathname, search } = new URL(url);

		if (protocol === "https:" || protocol === "http:")
			return { scheme: `${protocol}//`, host, rest: pathname + search,
				safe: protocol === "https:" };
	} catch {
		/* shown as it is */
	}
	return { scheme: "", host: "", rest: url, safe: false };
}

/*
 * What somebody had to register, as far as that can be told from the name alone: the last two parts,
 * or three below what looks like co.uk. It stays when there is no room for all: at its other end
 * anybody can write anything.
 */
function split(host)
{
	const labels = host.split(".");
	const last = labels.length > 2 && labels.at(-1).length === 2 && labels.at(-2).length <= 3 ? 3 : 2;

	if (labels.length <= last || /^[\d.:[\]]+$/.test(host))
		return ["", host];
	return [`${labels.slice(0, -last).join(".")}.`, labels.slice(-last).join(".")];
}

function Url({ url })
{
	const { scheme, host, rest, safe } = parts(url);
	const [below, own] = split(host);

	return html`
		<span class="url" title=${url}>
			${host && !safe && html`<span class="unsafe">Not encrypted </span>`}
			<span class="dim scheme">${scheme}</span><strong><span class="below">${below}</span><span
				class="own">${own}</span></strong><span class="dim rest">${rest}</span>
		</span>`;
}

function Go({ viewer, to, label, mark })
{
	return html`<button type="button" class="plain icon" aria-label=${label} title=${label}
		disabled=${!viewer.driven}
		onClick=${() => viewer.speech.say("page_navigate_to", { to })}>${mark}</button>`;
}

/*
 * A button rather than a box: nothing may move under the person's pointer while they type a
 * password.
 */
function Refused({ viewer })
{
	const [open, setOpen] = useState(false);
	const hosts = viewer.refused.value;

	if (!hosts.length)
		return null;
	return html`
		<button type="button" class="badge warn" onClick=${() => setOpen(true)}>
			${hosts.length} ${hosts.length === 1 ? "host" : "hosts"} refused</button>
		${open && html`
			<${Dialog} title="Not loaded" onCancel=${() => setOpen(false)}>
				<p>The page wanted something from these hosts. If something is missing in the
					page, this may be why; an administrator can allow them in the recipe.</p>
				<ul>${hosts.map(({ host, why }) => html`<li key=${host}>${why
					?? html`<code>${host}</code>`}</li>`)}</ul>
				<div class="row end"><button type="button" class="primary" autofocus
					onClick=${() => setOpen(false)}>OK</button></div>
			<//>`}`;
}

export function AddressBar({ viewer })
{
	const page = viewer.page.value;

	return html`
		<div class="address" role="group" aria-label="Address of the page" aria-busy=${Boolean(page?.loading)}>
			<${Go} viewer=${viewer} to="back" label="Back" mark="←" />
			<${Go} viewer=${viewer} to="forward" label="Forward" mark="→" />
			<${Go} viewer=${viewer} to="reload" label="Reload the page" mark="↻" />
			<span class="location">
				${page && page.url !== "about:blank"
					? html`<${Url} url=${page.url} />` : html`<span class="dim">No page yet</span>`}
			</span>
			<${Refused} viewer=${viewer} />
			${page?.popup && viewer.tabs.value.length < 2 && html`<span class="badge busy">A window the page opened</span>`}
			<span class=${page?.loading ? "progress" : ""} aria-hidden="true"></span>
		</div>`;
}
