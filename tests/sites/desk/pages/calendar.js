// One grid of whole weeks around the days that can be booked; the other days are disabled.
import { element } from './element.js';

const DAY_MS = 86_400_000;
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

const noon = (iso) => new Date(`${iso}T12:00:00Z`);
const part = (date, options) => date.toLocaleDateString('en-US', { timeZone: 'UTC', ...options });

/** 2025-11-20 → "Thu Nov 20 2025" */
export function readable(iso) {
	const date = noon(iso);
	return [part(date, { weekday: 'short' }), part(date, { month: 'short' }),
		part(date, { day: '2-digit' }), part(date, { year: 'numeric' })].join(' ');
}

function weeks(days) {
	const first = noon(days[0]).getTime();
	const back = (new Date(first).getUTCDay() + 6) % 7;
	const count = Math.ceil((back + days.length) / 7 + 1) * 7;
	return Array.from({ length: count }, (_, i) =>
		new Date(first + (i - back) * DAY_MS).toISOString().slice(0, 10));
}

function cell(iso, enabled) {
	return element('div', { role: 'gridcell', 'aria-label': readable(iso), 'data-date': iso,
		'aria-disabled': String(!enabled), 'aria-selected': 'false', tabindex: enabled ? '0' : '-1',
		title: enabled ? readable(iso) : 'This day cannot be booked' }, String(Number(iso.slice(8))));
}

/** onpick gets the ISO date of a day that can be booked. */
export function calendar(days, onpick) {
	const grid = element('div', { class: 'calendar', role: 'grid', 'aria-label': 'Day' },
		...WEEKDAYS.map((day) => element('div', { class: 'weekday', role: 'columnheader' }, day)),
		...weeks(days).map((iso) => cell(iso, days.includes(iso))));
	grid.addEventListener('click', ({ target }) => {
		if (target.getAttribute('aria-disabled') !== 'false')
			return;
		grid.querySelector('[aria-selected=true]')?.setAttribute('aria-selected', 'false');
		target.setAttribute('aria-selected', 'true');
		onpick(target.dataset.date);
	});
	return grid;
}
