/*
 * What surrounds a page: the bar at the top, the title of the window, the focus after a change of
 * page.
 */
import { useEffect, useRef } from "preact/hooks";
import { account, signOut } from "../account.js";
import { say } from "./notice.js";
import { html } from "./html.js";

export function useTitle(...parts)
{
	const title = [...parts.filter(Boolean), "Stead"].join(" – ");

	useEffect(() => {
		document.title = title;
	}, [title]);
}

export function Logo()
{
	return html`<img src="/favicon.svg" width="28" height="28" alt="" />`;
}

export function TopBar()
{
	return html`
		<header class="top">
			<a class="brand" href="/"><${Logo} />Stead</a>
			<span class="grow"></span>
			${account.value.admin && html`<a class="button plain" href="/work">Work</a>`}
			<span class="who" title="Your account at Stead">${account.value.name}</span>
			<button type="button" class="plain"
				onClick=${() => signOut().catch((error) => say(error.message,
					"bad"))}>Sign out</button>
		</header>`;
}

/*
 * The heading takes the focus, so that a screen reader says where one is and Tab goes on from here.
 */
export function Heading({ children })
{
	const heading = useRef(null);

	useEffect(() => heading.current.focus({ preventScroll: true }), []);
	return html`<h1 ref=${heading} tabindex="-1">${children}</h1>`;
}

export function Page({ title, heading = title, back, children })
{
	useTitle(title);
	return html`
		<${TopBar} />
		<main class="page">
			${back && html`<p class="back"><a href="/">← Dashboard</a></p>`}
			<${Heading}>${heading}<//>
			${children}
		</main>
		<footer class="foot">Stead signs in once and then acts in your stead.
			<a href="/licences.txt" target="_blank" rel="noopener">Licences</a></footer>`;
}

export function Loading({ what })
{
	return html`<p class="loading" role="status"><span class="spinner"
		aria-hidden="true"></span>${what}</p>`;
}
