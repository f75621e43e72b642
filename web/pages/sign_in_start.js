/*
 * Opens a browser at a site's sign-in page, or goes back to the one that is open, and hands over to
 * its page.
 */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get, post } from "../api.js";
import { Loading, Page } from "../parts/frame.js";
import { Trouble } from "../parts/notice.js";
import { useRetry } from "../parts/part.js";
import { site as siteLoad, siteTitle } from "../parts/store.js";
import { streamOpen } from "../parts/words.js";
import { guessRoom } from "../stream/geometry.js";
import { cameFrom, navigate } from "../router.js";
import { html } from "../parts/html.js";

async function open(site)
{
	const { streams } = await get("/streams");
	const stream = streams.find((one) => one.site === site && streamOpen(one));

	return stream ?? post("/streams", { site, ...guessRoom() });
}

export function SignInStart({ site })
{
	const [trouble, setTrouble] = useState(null);
	const last = useRef(0); /* what was started before it, or by a page that has been left, moves nobody any more */
	const start = useCallback(() => {
		const mine = ++last.current;

		open(site).then(
			({ id }) => mine !== last.current || navigate(`/streams/${encodeURIComponent(id)}`,
				{ replace: true, from: cameFrom() }),
			(error) => mine !== last.current || setTrouble(error),
		);
	}, [site]);
	const { again, atMs } = useRetry(trouble, start);

	useEffect(() => {
		start();
		return () => {
			last.current += 1;
		};
	}, [start]);
	useEffect(() => {
		/* Only for its title. */
		siteLoad(site).catch(() => {});
	}, [site]);
	return html`
		<${Page} title=${`Sign in to ${siteTitle(site)}`} back>
			${trouble
				? html`<${Trouble} title="The browser could not be opened"
					error=${trouble}
					retry=${trouble.status === 404 ? null : again} atMs=${atMs} />`
				: html`<${Loading} what="Opening a browser …" />`}
		<//>`;
}
