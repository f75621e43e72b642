/* Points of time as people read them. */
const DAY_MS = 86400000;
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const dayLong = new Intl.DateTimeFormat("en-GB", {
	weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC",
});

export function exact(ms)
{
	return full.format(ms);
}

export function clockTime(ms)
{
	return clock.format(ms);
}

/* date: "2025-11-20"; empty if it is no such day. */
export function dayInWords(date)
{
	const ms = Date.parse(`${date}T00:00:00Z`);

	return Number.isNaN(ms) ? "" : dayLong.format(ms);
}

/* The day that it is for the person, as "2025-11-20". */
export function today(ms)
{
	const date = new Date(ms);

	return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
}

/* A clock that is a little behind the server's must not show the future. */
export function ago(ms, at)
{
	const passed = Math.max(0, at - ms);

	if (passed < 5000)
		return "just now";
	if (passed < 60000)
		return relative.format(-Math.round(passed / 1000), "second");
	if (passed < 3600000)
		return relative.format(-Math.round(passed / 60000), "minute");
	if (passed < DAY_MS)
		return relative.format(-Math.round(passed / 3600000), "hour");
	return relative.format(-Math.round(passed / DAY_MS), "day");
}

/* 4:07 */
export function countdown(ms)
{
	const seconds = Math.max(0, Math.ceil(ms / 1000));

	return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
