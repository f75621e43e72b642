/*
 * A sign-in as it happens: the remote browser's picture, how far it has come, and what one can do.
 */
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Connection } from "../parts/connection.js";
import { Heading, Loading, Logo, useTitle } from "../parts/frame.js";
import { say, Trouble } from "../parts/notice.js";
import { useRetry } from "../parts/part.js";
import { Steps } from "../parts/steps.js";
import { site as siteLoad, siteTitle } from "../parts/store.js";
import { sureToClose } from "../parts/stream_close.js";
import { stepWords } from "../parts/words.js";
import { AddressBar } from "../stream/address.js";
import { fit } from "../stream/geometry.js";
import { inputAttach } from "../stream/input.js";
import { Menu } from "../stream/menu.js";
import { Outcome } from "../stream/outcome.js";
import { Strip } from "../stream/strip.js";
import { Tabs } from "../stream/tabs.js";
import { PageDialog } from "../stream/page_dialog.js";
import { TimeLeft } from "../stream/time_left.js";
import { Tools, viewerLeave } from "../stream/tools.js";
import { Viewer } from "../stream/viewer.js";
import { navigate } from "../router.js";
import { html } from "../parts/html.js";

async function close(viewer, title)
{
	if (!await sureToClose(title))
		return;
	try {
		await viewer.close();
		navigate("/");
	} catch (error) {
		say(error.message, "bad");
	}
}

function Bar({ viewer, title })
{
	const { step, reached, kept } = viewer.info.value;
	const open = ["starting", "waiting", "signed_in", "proving"].includes(step);

	return html`
		<header class="stream-bar">
			<a class="brand" href="/" aria-label="Dashboard"><${Logo} /></a>
			<${Heading}><span class="hidden">Sign-in to </span>${title}<//>
			<${Steps} step=${kept ? reached : step} reached=${reached} asks=${Boolean(kept)} />
			<${TimeLeft} viewer=${viewer} />
			<span class="row buttons">
				${step === "waiting" && html`<button type="button" id="done"
					title="Stead notices by itself when you are signed in; press this when it does not"
					onClick=${() => viewer.speech.say("sign_in_done")}><span class="long">I'm signed in: check
					now</span><span class="short">Check now</span></button>`}
				${open && html`<button type="button"
					onClick=${() => close(viewer, title)}>Close</button>`}
			</span>
		</header>`;
}

/* What a screen reader hears when a step has passed. */
function Spoken({ viewer })
{
	const { step, reason, advice } = viewer.info.value;

	return html`<p class="hidden" role="status" aria-live="polite">
		${[stepWords(step), reason, advice].filter(Boolean)
			.map((text) => text.replace(/\.$/, "")).join(". ")}</p>`;
}

/*
 * The canvas gets exactly the size of the picture, so that every point of it is a point of the
 * page.
 */
function lay(canvas, stage, size)
{
	const { width, height } = fit(size, { width: stage.clientWidth,
		height: stage.clientHeight });

	canvas.style.width = `${width}px`;
	canvas.style.height = `${height}px`;
}

function useStage(viewer)
{
	const stage = useRef(null);
	const canvas = useRef(null);
	const field = useRef(null);

	useEffect(() => {
		const ended = new AbortController();
		const relay = () => viewer.size && lay(canvas.current, stage.current, viewer.size);
		const watch = new ResizeObserver(([{ contentRect }]) => {
			viewer.resize(contentRect.width, contentRect.height);
			relay();
		});

		watch.observe(stage.current);
		viewer.start(canvas.current, (resized) => resized && relay());
		inputAttach({
			canvas: canvas.current, field: field.current, stage: stage.current,
				speech: viewer.speech,
			page: () => viewer.size, allowed: () => viewer.driven && !viewer.menu.value
				&& !viewer.dialog.value,
			leave: viewerLeave, signal: ended.signal,
		});
		return () => {
			watch.disconnect();
			ended.abort();
			viewer.stop();
		};
	}, [viewer]);
	return { stage, canvas, field };
}

/*
 * Keys belong to the page as soon as it waits for the person, unless something else was chosen
 * meanwhile.
 */
function useFocus(viewer, field)
{
	const ready = viewer.driven && viewer.painted.value && !viewer.menu.value
		&& !viewer.dialog.value;

	useEffect(() => {
		if (ready && (document.activeElement === document.body
			|| document.activeElement?.tagName === "H1"))
			field.current.focus({ preventScroll: true });
	}, [ready]);
}

function Stage({ viewer, title, refs: { stage, canvas, field } })
{
	const { menu, dialog, info, painted } = viewer;
	const step = info.value?.step;

	return html`
		<div ref=${stage} class=${`stage ${step === "waiting" ? "" : "parked"}`}>
			<canvas ref=${canvas} class=${painted.value ? "" : "blank"} role="img"
				aria-label=${`The page of ${title}, live`}></canvas>
			<textarea ref=${field} class="keys" rows="1" autocomplete="off"
				autocapitalize="none" autocorrect="off"
				spellcheck=${false}
					aria-label=${`Keys for the page of ${title}; Escape twice leaves it`}
				data-1p-ignore data-lpignore="true" tabindex=${step === "waiting"
					? 0 : -1}></textarea>
			${menu.value && viewer.size && html`<${Menu} key=${menu.value.menu}
				menu=${menu.value} canvas=${canvas.current}
				page=${viewer.size} choose=${(option) => {
					viewer.choose(option);
					field.current.focus({ preventScroll: true });
				}} />`}
			${dialog.value && html`<${PageDialog} key=${dialog.value.dialog} viewer=${viewer} />`}
			<${Outcome} viewer=${viewer} title=${title} />
			${!viewer.over && html`<${Strip} viewer=${viewer} />`}
			${viewer.live.value
				&& html`<div class="over"><${Connection} live=${viewer.live.value} /></div>`}
		</div>`;
}

export function Stream({ id })
{
	const viewer = useMemo(() => new Viewer(id), [id]);
	const refs = useStage(viewer);
	const info = viewer.info.value;
	const title = info ? siteTitle(info.site) : "the site";

	const { again, atMs } = useRetry(viewer.trouble.value, () => viewer.load());

	useFocus(viewer, refs.field);
	useTitle(info && stepWords(info.step), info && title);
	useEffect(() => {
		/* Only for the site's title; without it the recipe's name stands there. */
		if (info?.site)
			siteLoad(info.site).catch(() => {});
	}, [info?.site]);
	return html`
		<div class="stream">
			${info
				? html`<${Bar} viewer=${viewer} title=${title} /><${Spoken} viewer=${viewer} />`
				: html`<header class="stream-bar"><a class="brand"
					href="/"><${Logo} />Stead</a></header>`}
			<main class="stream-main" aria-label="Sign-in">
				${info && !viewer.over && html`<${AddressBar} viewer=${viewer} />
					<${Tabs} viewer=${viewer}
						back=${() => refs.field.current.focus({ preventScroll: true })} />`}
				<${Stage} viewer=${viewer} title=${title} refs=${refs} />
				${!info && !viewer.trouble.value
					&& html`<div class="veil"><${Loading} what="Loading …" /></div>`}
				${viewer.trouble.value && html`<div class="veil"><div class="card stack">
					<${Trouble} title="The sign-in cannot be shown"
						error=${viewer.trouble.value} atMs=${atMs}
						retry=${viewer.trouble.value.status === 404 ? null
							: again} />
					<div class="row wrap">${info && html`<a class="button primary"
						href=${`/sites/${encodeURIComponent(info.site)}/sign-in`}>Start again</a>`}
					<a class=${`button ${info ? "" : "primary"}`} href="/">To the dashboard</a></div></div></div>`}
				${info && !viewer.trouble.value && html`<${Tools} viewer=${viewer}
					field=${refs.field} />`}
			</main>
		</div>`;
}
