/* Whether a person really wants to end a sign-in that is under way. */
import { ask } from "./dialog.js";

export function sureToClose(site)
{
	return ask({
		title: `Close the sign-in to ${site}?`,
		text: "Its browser is ended and nothing of it is kept. A session that was saved before stays "
			+ "as it is.",
		yes: "Close",
		no: "Go on",
	});
}
