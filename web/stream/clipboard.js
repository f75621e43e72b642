/*
 * The person's own clipboard. Browsers allow writing only shortly after a key or click, hence the
 * button.
 */
import { say } from "../parts/notice.js";

export async function copyOut(text)
{
	try {
		await navigator.clipboard.writeText(text);
		say("Copied.");
	} catch {
		say("The page has copied something.", "", { label: "Copy it to your clipboard",
			run: () => copyBySelection(text) });
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
