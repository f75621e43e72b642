/* The person's own clipboard. Browsers allow writing only shortly after a key or click. */
import { say } from "../parts/notice.js";

/* refused(): it can be offered, for inside a press it works. */
export async function copyOut(text, refused)
{
	try {
		await navigator.clipboard.writeText(text);
		say("Copied.");
	} catch {
		refused();
	}
}

/* Inside a press. */
export async function copyNow(text)
{
	try {
		await navigator.clipboard.writeText(text);
		say("Copied.");
	} catch {
		copyBySelection(text);
	}
}

/* Works without https as well, but only inside a click. */
function copyBySelection(text)
{
	const copy = (event) => {
		event.preventDefault();
		event.clipboardData.setData("text/plain", text);
	};

	addEventListener("copy", copy, { once: true });
	if (document.execCommand("copy"))
		say("Copied.");
	else
		say("Your browser does not let Stead write to the clipboard.", "bad");
	removeEventListener("copy", copy);
}

/* null when the browser does not allow it. */
export async function pasteIn()
{
	try {
		return await navigator.clipboard.readText();
	} catch {
		return null;
	}
}
