/* What the remote page asks in a dialog; the page stands still until it is answered. */
import { useRef } from "preact/hooks";
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

const YES = { alert: "OK", confirm: "OK", prompt: "OK", beforeunload: "Leave" };
const NO = { confirm: "Cancel", prompt: "Cancel", beforeunload: "Stay" };

export function PageDialog({ viewer })
{
	const { kind, message, value, url } = viewer.dialog.value;
	const text = useRef(null);
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
