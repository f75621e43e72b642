/* What the remote page asks in a dialog; the page stands still until it is answered. */
import { useEffect, useRef } from "preact/hooks";
import { Dialog } from "../parts/dialog.js";
import { html } from "../parts/html.js";

function hostOf(url)
{
	try {
		return new URL(url).host;
	} catch {
		return "";
	}
}

/* Not the page but the host asks, before there is a page. */
function Password({ viewer, asked })
{
	const { host, message, plain, proxy, again } = asked;
	const name = useRef(null), password = useRef(null);
	const realm = message.trim();
	const accept = (event) => {
		event.preventDefault();
		viewer.answer(true, password.current.value, name.current.value);
	};

	return html`
		<${Dialog} title=${`${host} asks who you are`} onCancel=${() => viewer.answer(false)}>
			<form class="stack" onSubmit=${accept} autocomplete="off">
				${again && html`<p class="bad-text" role="alert">That was not right.</p>`}
				<p>${proxy
					? "It is a proxy on the way to the site, not the site itself."
					: realm ? html`It calls this place “${realm}”.` : "It says nothing more."}</p>
				${plain && html`<p class="bad-text">What you type is not encrypted on its way.</p>`}
				<label class="field">Name<input ref=${name} autocomplete="off"
					autocapitalize="none" spellcheck=${false} maxlength="250" autofocus /></label>
				<label class="field">Password<input ref=${password} type="password"
					autocomplete="off" maxlength="1000" /></label>
				<div class="row end">
					<button type="button" onClick=${() => viewer.answer(false)}>Cancel</button>
					<button type="submit" class="primary">Sign in</button>
				</div>
			</form>
		<//>`;
}

const YES = { alert: "OK", confirm: "OK", prompt: "OK", beforeunload: "Leave" };
const NO = { confirm: "Cancel", prompt: "Cancel", beforeunload: "Stay" };

export function PageDialog({ viewer })
{
	if (viewer.dialog.value.kind === "password")
		return html`<${Password} viewer=${viewer} asked=${viewer.dialog.value} />`;
	return html`<${Script} viewer=${viewer} />`;
}

function Script({ viewer })
{
	const { kind, message, value, url } = viewer.dialog.value;
	const text = useRef(null);

	/* As a browser does it: what is typed takes the place of what the page proposes. */
	useEffect(() => text.current?.select(), []);

	const host = hostOf(url ?? viewer.page.value?.url) || "The page";
	const accept = (event) => {
		event.preventDefault();
		viewer.answer(true, text.current?.value);
	};

	return html`
		<${Dialog} title=${kind === "beforeunload" ? "Leave this page?" : `${host} says`}
			onCancel=${() => viewer.answer(kind === "alert")}>
			<form class="stack" onSubmit=${accept}>
				<p class="message">${kind === "beforeunload"
					? "What was typed there may be lost."
					: message}</p>
				${kind === "prompt" && html`<input ref=${text}
					aria-label="Your answer" maxlength="1024"
					defaultValue=${value ?? ""} autofocus />`}
				<div class="row end">
					${NO[kind] && html`<button type="button"
						onClick=${() => viewer.answer(false)}>${NO[kind]}</button>`}
					<button type="submit" class="primary"
						autofocus=${kind !== "prompt"}>${YES[kind]}</button>
				</div>
			</form>
		<//>`;
}
