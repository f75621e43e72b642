// The floor as a picture: one circle per desk.
import { element } from './element.js';

const STATES = { free: 'free', mine: 'booked by you', taken: 'taken' };

function circle(desk, onpick) {
	const state = desk.takenBy ? 'taken' : desk.mine ? 'mine' : 'free';
	const title = `${desk.id}, ${STATES[state]}${desk.takenBy ? ` by ${desk.takenBy}` : ''}`;
	return element('g', { class: `desk ${state}` },
		element('rect', { x: desk.x - 38, y: desk.y - 26, width: 76, height: 52, rx: 8 }),
		element('circle', { cx: desk.x, cy: desk.y, r: 19, 'data-desk': desk.id,
			'data-space': desk.spaceId, 'data-state': state, role: 'button', tabindex: '0',
			'aria-label': title, onclick: () => onpick(desk) }, element('title', {}, title)),
		element('text', { x: desk.x, y: desk.y + 4 }, desk.id.slice(2)));
}

export function plan(desks, onpick) {
	return element('svg', { id: 'floorImage', viewBox: '0 0 790 440', role: 'group',
		'aria-label': 'Floor plan' },
	element('rect', { class: 'wall', x: 20, y: 20, width: 750, height: 400, rx: 12 }),
	element('path', { class: 'aisle', d: 'M395 30 V410 M30 230 H760' }),
	...desks.map((desk) => circle(desk, onpick)));
}
