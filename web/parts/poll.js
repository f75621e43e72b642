import { useEffect } from "preact/hooks";

/*
 * Calls load() now, again ms after each time it has ended, and at once when the page is looked at
 * again; never while nobody looks, and never twice at a time. load() must not throw.
 */
export function usePoll(load, ms, depends = [])
{
	useEffect(() => {
		let timer = null;
		let busy = false;
		let over = false;

		async function turn()
		{
			clearTimeout(timer);
			if (busy || over || document.hidden)
				return;
			busy = true;
			await load();
			busy = false;
			if (!over)
				timer = setTimeout(turn, ms);
		}

		turn();
		document.addEventListener("visibilitychange", turn);
		return () => {
			over = true;
			clearTimeout(timer);
			document.removeEventListener("visibilitychange", turn);
		};
	}, depends);
}
