// What really happened, counted: the tests compare what Stead says with this.
import { EventEmitter } from 'node:events';

const COUNTS = ['sign_ins', 'sign_outs', 'wrong_passwords', 'wrong_codes', 'loads',
	'redirects_to_login', 'checks_passed', 'checks_failed', 'accepted', 'booked', 'dropped', 'hung',
	'refused', 'asked', 'lists'];

export class Truth extends EventEmitter {
	constructor() {
		super();
		this.setMaxListeners(0);
		this.clear();
	}

	clear() {
		this.counts = Object.fromEntries(COUNTS.map((name) => [name, 0]));
		this.accepted = [];
		this.asked = []; // every createBooking, whatever came of it
	}

	count(name) {
		this.counts[name] += 1;
		this.emit('count');
	}

	/** Resolves to true once a count has reached a number, to false after timeout_ms. */
	reached(name, at_least, timeout_ms) {
		if (!Object.hasOwn(this.counts, name))
			throw new Error(`There is no count "${name}". The counts are ${COUNTS.join(', ')}.`);
		return new Promise((resolve) => {
			const finish = (value) => {
				clearTimeout(timer);
				this.off('count', look);
				resolve(value);
			};
			const look = () => this.counts[name] >= at_least && finish(true);
			const timer = setTimeout(() => finish(false), timeout_ms);
			this.on('count', look);
			look();
		});
	}
}
