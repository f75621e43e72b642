/* Numbered lines that follow their end, unless the reader has scrolled up to read something. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { clockTime, exact } from "./time.js";
import { html } from "./html.js";

const NEAR_PX = 24;
const LEVELS = { warning: "Warning: ", error: "Error: " };

function Line({ line })
{
	return html`
		<li class=${line.level} value=${line.n}>
			<span class="n" aria-hidden="true">${line.n}</span>
			<time datetime=${new Date(line.at_ms).toISOString()}
				title=${exact(line.at_ms)}>${clockTime(line.at_ms)}</time>
			<span class="text">${LEVELS[line.level]
				&& html`<strong>${LEVELS[line.level]}</strong>`}${line.text}</span>
		</li>`;
}

export function Log({ lines, over })
{
	const box = useRef(null);
	const [follows, setFollows] = useState(true);

	function scrolled()
	{
		const { scrollTop, scrollHeight, clientHeight } = box.current;

		setFollows(scrollHeight - scrollTop - clientHeight < NEAR_PX);
	}

	function toEnd()
	{
		box.current.scrollTop = box.current.scrollHeight;
	}

	useLayoutEffect(() => {
		if (follows)
			toEnd();
	}, [lines.length, follows]);
	useEffect(() => toEnd(), []);
	return html`
		<div class="log-frame">
			<div ref=${box} class="log" role="log" aria-live="polite"
				aria-labelledby="log-h" tabindex="0"
				onScroll=${scrolled}>
				<ol>${lines.map((line) => html`<${Line} key=${line.n} line=${line} />`)}</ol>
				${!lines.length && html`<p class="quiet">${over
					? "Nothing was written."
					: "Nothing yet; lines appear as soon as work begins."}</p>`}
			</div>
			${!follows && html`<button type="button" class="to-end"
				onClick=${toEnd}>↓ Newest lines</button>`}
		</div>
		<p class="quiet small">${over
			? `Complete, ${lines.length} ${lines.length === 1 ? "line" : "lines"}.`
			: "Live: new lines appear by themselves."}</p>`;
}
