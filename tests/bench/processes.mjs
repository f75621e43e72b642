/* Processes and the memory they take (proc(5)), MB. */
import { readdirSync, readFileSync } from "node:fs";

const KB_A_MB = 1024;

function field(text, name)
{
	return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
}

function parentOf(pid)
{
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "utf8");

		return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
	} catch {
		return 0;
	}
}

/* A process and all below it. */
export function family(pid)
{
	const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((name) => [Number(name), parentOf(name)]);
	const found = new Set([pid]);

	for (let before = 0; before !== found.size;) {
		before = found.size;
		for (const [one, parent] of all)
			if (found.has(parent))
				found.add(one);
	}
	return [...found];
}

/*
 * { pss, own, rss }: the share of what it has in memory; what is its alone and not a file's; all it has. pss is null for
 * a process that may not be looked into (Stead's daemons and Chromium's renderers are closed to all but root).
 */
export function memory(pid)
{
	let pss = null, status = "";

	try {
		pss = field(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"), "Pss") / KB_A_MB;
	} catch {
		/* not ours to see */
	}
	try {
		status = readFileSync(`/proc/${pid}/status`, "utf8");
	} catch {
		/* it has gone */
	}
	return { pss, own: field(status, "RssAnon") / KB_A_MB, rss: field(status, "VmRSS") / KB_A_MB };
}
