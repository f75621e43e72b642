/*
 * One thing that a page shows: fetched by itself, kept, and failing by itself. What was last fetched stays when a later try
 * fails; then it is tried again with growing pauses, and says when.
 */
import { batch, signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

const FIRST_MS = 3000;
const MOST_MS = 60000;
const SLOW_MS = 3000;

/* How long to wait after so many failures in a row; longer when Stead says so. */
export function pauseAfter(failures, error)
{
	return Math.max(error?.retryAfterMs ?? 0, Math.min(MOST_MS, FIRST_MS * 2 ** (failures - 1)));
}

export class Part {
	value = signal(null);
	freshAtMs = signal(0);
	trouble = signal(null); /* why the last try failed; null once one has not */
	retryAtMs = signal(0);
	slow = signal(false); /* it was asked for, and nothing has come for three seconds */
	#load;
	#everyMs;
	#failures = 0;
	#followers = 0;
	#running = null;
	#timer = null;

	/* load() resolves to the value; while somebody follows, it is fetched again everyMs after each success, or never: Infinity. */
	constructor(load, everyMs)
	{
		this.#load = load;
		this.#everyMs = everyMs;
		document.addEventListener("visibilitychange", () => this.#look());
		addEventListener("online", () => this.#look());
	}

	/* Resolves when it has been asked for after this moment, whether that failed or not. */
	refresh()
	{
		const run = (this.#running ?? Promise.resolve()).then(() => this.#run());

		this.#running = run;
		run.finally(() => {
			if (this.#running === run)
				this.#running = null;
		});
		return run;
	}

	/* Fetches now and from now on, until the function that this returns is called. */
	follow()
	{
		this.#followers += 1;
		if (this.freshAtMs.value && !this.trouble.value && Date.now() - this.freshAtMs.value < this.#everyMs)
			this.#later(this.#everyMs);
		else
			this.#look();
		return () => {
			this.#followers -= 1;
			if (!this.#followers)
				clearTimeout(this.#timer);
		};
	}

	/* Never while nobody looks, and never twice at a time. */
	#look()
	{
		if (this.#followers && !this.#running && !document.hidden)
			this.refresh();
	}

	async #run()
	{
		const slow = setTimeout(() => {
			this.slow.value = true;
		}, SLOW_MS);

		clearTimeout(this.#timer);
		try {
			this.#succeeded(await this.#load());
		} catch (error) {
			this.#failed(error);
		}
		clearTimeout(slow);
		this.slow.value = false;
	}

	#succeeded(value)
	{
		this.#failures = 0;
		batch(() => {
			this.value.value = value;
			this.freshAtMs.value = Date.now();
			this.trouble.value = null;
		});
		this.#later(this.#everyMs);
	}

	#failed(error)
	{
		const wait = pauseAfter(++this.#failures, error);

		batch(() => {
			this.trouble.value = error;
			this.retryAtMs.value = Date.now() + wait;
		});
		this.#later(wait);
	}

	#later(ms)
	{
		clearTimeout(this.#timer);
		if (this.#followers && ms < Infinity)
			this.#timer = setTimeout(() => this.#look(), ms);
	}
}

export function usePart(part)
{
	useEffect(() => part.follow(), [part]);
}

/*
 * For what is fetched once: calls retry() again after each error that passes by itself, with growing pauses. { again, atMs }:
 * what a button calls for who does not want to wait, never twice for one error; a signal of when it is tried, 0 if it is not.
 */
export function useRetry(error, retry)
{
	const failures = useRef(0);
	const atMs = useSignal(0);
	const pending = useRef(false), timer = useRef(0);

	function again()
	{
		clearTimeout(timer.current);
		if (pending.current)
			return;
		pending.current = true;
		retry();
	}

	useEffect(() => {
		atMs.value = 0;
		pending.current = false;
		if (!retry || !error?.passing)
			return undefined;

		const wait = pauseAfter(++failures.current, error);

		timer.current = setTimeout(again, wait);
		atMs.value = Date.now() + wait;
		return () => clearTimeout(timer.current);
	}, [error]);
	return { again, atMs };
}
