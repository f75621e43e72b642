/* Sizes and positions: CSS pixels of our own page here, CSS pixels of the remote page there. */

/* proto/viewer.def, view_resize */
const LIMITS = { width: [320, 1920], height: [120, 1200] };
/* proto/streamd.def, stream_open */
const LEAST_AT_FIRST_PX = 240;
const FURTHEST = 10000;
/* What the bars above the picture take, before they have been laid out. */
const BARS_PX = { wide: 139, narrow: 190 };
const NARROW_PX = 700;

function clamp(value, [least, most])
{
	return Math.min(most, Math.max(least, Math.round(value)));
}

export function roomFor(width, height)
{
	return { width: clamp(width, LIMITS.width), height: clamp(height, LIMITS.height) };
}

/* The room a stream will have, so that the browser starts with the right size. */
export function guessRoom()
{
	const bars = innerWidth < NARROW_PX ? BARS_PX.narrow : BARS_PX.wide;

	return roomFor(innerWidth, Math.max(LEAST_AT_FIRST_PX, innerHeight - bars));
}

/*
 * How large a page is shown in a room: whole, in its proportions, in the middle; the element is
 * made that size, so that no part of it is letterbox and its rectangle alone tells where the page
 * is.
 */
export function fit(page, room)
{
	const scale = Math.min(room.width / page.width, room.height / page.height);
	/*
	 * A page made for this very room, but for a rounded pixel, is shown as it is: scaling would
	 * only blur it.
	 */
	const shown = Math.abs(scale - 1) < 0.004 ? 1 : scale;

	return { width: Math.floor(page.width * shown), height: Math.floor(page.height * shown) };
}

function within(value)
{
	return Math.round(100 * Math.min(FURTHEST, Math.max(-FURTHEST, value))) / 100;
}

/*
 * rect: the picture's rectangle in our page; page: { width, height, offsetTop } of the remote one.
 */
export function toPage(clientX, clientY, rect, page)
{
	return {
		x: within((clientX - rect.left) * page.width / rect.width),
		y: within((clientY - rect.top) * page.height / rect.height - page.offsetTop),
	};
}

/* Where something of the remote page is, relative to the picture's upper left corner. */
export function fromPage(x, y, rect, page)
{
	return { x: x * rect.width / page.width,
		y: (y + page.offsetTop) * rect.height / page.height };
}
