/*
 * element_wait: waits until one of several wishes about elements comes true, or reads a list of elements.
 *
 * Called in an isolated world of the frame, so that the page can neither notice nor fake it. The selectors are those
 * of recipes (TYPE(selector) in recipe/recipe.def); all that one gives must hold, and the first visible element that
 * fits is meant. Open shadow trees are looked into where the document itself holds nothing that fits.
 *
 * Takes { wishes: [{ css, text, exact, role, name, nth, gone, hidden, press, bring, edit, value, attribute,
 *         option }, ...],
 *         timeout_ms, cells, none }:
 *   gone       come true when no such element is visible
 *   hidden     an element that is not visible is one, too
 *   press      also wait until it is enabled, has stood still for two frames and is on top where a mouse would press
 *              it; it is scrolled into view
 *   bring      where to: "center", "nearest"; or "not"
 *   edit       also wait until it can be written to
 *   value      come true only when what it shows or holds (or its attribute) is this, white space collapsed
 *   attribute  which attribute to tell of and compare; absent: its text, or the value of a field
 *   option     come true only when the select element has this option, by label or value, and it can be chosen
 *   cells      [{ css, attribute }, ...]: instead, what these are of each visible element that fits the first wish
 *   none       with cells: a wish of what stands there when there is no such element. The list is read once it shows an
 *              element or this, in a document that is no error page, and has then stayed the same for a while
 * Returns (after timeout_ms at the latest)
 *   { which, text, x, y, tag }   the number of the wish that came true first, what the element shows, and where to
 *                                press it in CSS pixels of the frame; the element is then globalThis.steadElement
 *   { moved: true }              the address of the frame has changed meanwhile
 *   { seen, covered, disabled, moving, readonly, optionless }
 *                                none came true in time: what the first wish's element shows, if there was one, and
 *                                what stood in the way
 *   { rows }                     with cells: a list of texts for each element
 *   { unread, status }           with none: at once "error" (the document is an error page, of that HTTP status, or the
 *                                browser's own: 0); or it was not read in time: "markless" or "changing"
 */
async ({ wishes, timeout_ms, cells, none }) => {
	const collapse = (s) => (s ?? "").replace(/\s+/g, " ").trim();
	const squash = (s) => (s ?? "").replace(/\s+/g, "").toLowerCase();

	/* What an element shows to a person, or what a field holds. */
	const shown = (e) => {
		if (e.matches("input,textarea"))
			return collapse(e.value);
		if (e.matches("select"))
			return collapse([...e.selectedOptions].map((o) => o.label).join(" "));
		return collapse(e.innerText ?? e.textContent);
	};

	const ROLES = {
		ARTICLE: "article", ASIDE: "complementary", BUTTON: "button", DETAILS: "group", DIALOG: "dialog",
		FIELDSET: "group", FOOTER: "contentinfo", FORM: "form", H1: "heading", H2: "heading", H3: "heading",
		H4: "heading", H5: "heading", H6: "heading", HEADER: "banner", HR: "separator", IMG: "img", LI: "listitem",
		MAIN: "main", MENU: "list", NAV: "navigation", OL: "list", OPTION: "option", OUTPUT: "status",
		PROGRESS: "progressbar", SECTION: "region", TABLE: "table", TBODY: "rowgroup", TD: "cell",
		TEXTAREA: "textbox", TFOOT: "rowgroup", TH: "columnheader", THEAD: "rowgroup", TR: "row", UL: "list",
	};
	const FIELDS = {
		button: "button", checkbox: "checkbox", image: "button", number: "spinbutton", radio: "radio",
		range: "slider", reset: "button", search: "searchbox", submit: "button",
	};
	const role = (e) => {
		const given = collapse(e.getAttribute("role")).split(" ")[0];
		if (given)
			return given;
		if (e.matches("a[href],area[href]"))
			return "link";
		if (e.matches("select"))
			return e.multiple || e.size > 1 ? "listbox" : "combobox";
		return e.matches("input") ? FIELDS[e.type] ?? "textbox" : ROLES[e.tagName];
	};
	const name = (e) => {
		const by = collapse(e.getAttribute("aria-labelledby"));
		if (by)
			return collapse(by.split(" ").map((id) => e.getRootNode().getElementById?.(id)?.textContent).join(" "));
		if (e.hasAttribute("aria-label"))
			return collapse(e.getAttribute("aria-label"));
		if (e.labels?.length)
			return collapse([...e.labels].map((l) => l.textContent).join(" "));
		if (e.matches("input[type=submit],input[type=button],input[type=reset]"))
			return collapse(e.value);
		if (e.hasAttribute("alt"))
			return collapse(e.getAttribute("alt"));
		const text = e.matches("input,textarea,select") ? "" : collapse(e.textContent);
		return text || collapse(e.getAttribute("title") ?? e.getAttribute("placeholder"));
	};

	const visible = (e) => {
		const r = e.getBoundingClientRect();
		return r.width > 0 && r.height > 0 && e.checkVisibility({ visibilityProperty: true });
	};
	/* Letters may be shown in another case than they are written in (text-transform). */
	const says = (e, w) => {
		const text = collapse(w.text), now = shown(e), lower = now.toLowerCase();
		if (w.exact)
			return now === text || lower === text.toLowerCase() && collapse(e.textContent) === text;
		return now.includes(text) || lower.includes(text.toLowerCase()) && collapse(e.textContent).includes(text);
	};
	const could_say = (e, w) => squash(e.textContent).includes(squash(w.text)) || e.matches("input,textarea,select");

	/* Which of these show the text: of nested ones the innermost, which stand behind those that hold them. */
	const innermost = (all, w) => {
		const found = [], around = new Set(); /* a page may have tens of thousands that fit */
		for (const e of all.filter((e) => could_say(e, w)).reverse()) {
			if (around.has(e) || !(w.hidden || visible(e)) || !says(e, w))
				continue;
			found.push(e);
			for (let up = e.parentElement; up && !around.has(up); up = up.parentElement)
				around.add(up);
		}
		return found.reverse();
	};
	const among = (root, w) => {
		let all = [...root.querySelectorAll(w.css ?? "*")];
		if (w.role)
			all = all.filter((e) => role(e) === w.role);
		if (w.name)
			all = all.filter((e) => (w.css || role(e)) && name(e) === collapse(w.name));
		return w.text ? innermost(all, w) : w.hidden ? all : all.filter(visible);
	};
	const shadows = (root) => [...root.querySelectorAll("*")].flatMap((e) =>
		e.shadowRoot ? [e.shadowRoot, ...shadows(e.shadowRoot)] : []);
	const find_all = (w) => {
		const all = among(document, w);
		return all.length ? all : shadows(document).flatMap((root) => among(root, w));
	};
	const find = (w) => find_all(w)[(w.nth ?? 1) - 1] ?? null;

	const tell = (e, w) => w.attribute ? e.getAttribute(w.attribute) ?? "" :
		shown(e) || (w.hidden ? collapse(e.textContent) : "");
	const option = (e, w) => e.matches("select") && [...e.options].some((o) =>
		!o.disabled && !o.parentElement.disabled &&
		(collapse(o.label) === collapse(w.option) || o.value === w.option));

	/* Where to press: the middle of what can be seen of its first box (a link may run over two lines). */
	const point = (e) => {
		const r = [...e.getClientRects()].find((r) => r.width > 0 && r.height > 0) ?? e.getBoundingClientRect();
		const [left, right] = [Math.max(r.left, 0), Math.min(r.right, innerWidth)];
		const [top, bottom] = [Math.max(r.top, 0), Math.min(r.bottom, innerHeight)];
		return [(left + right) / 2, (top + bottom) / 2];
	};
	const at = (x, y) => {
		let e = document.elementFromPoint(x, y), inner;
		while ((inner = e?.shadowRoot?.elementFromPoint(x, y)) && inner !== e)
			e = inner;
		return e;
	};
	const holds = (e, inner) => {
		for (; inner; inner = inner.parentNode ?? inner.host)
			if (inner === e)
				return true;
		return false;
	};
	/* An element that lets presses through is pressed where they go: at what holds it. */
	const on_top = (e) => {
		const there = at(...point(e));
		return there !== null && (holds(e, there) || there.closest("label")?.control === e ||
			getComputedStyle(e).pointerEvents === "none" && holds(there, e));
	};
	const bring = (e, block) => {
		const r = e.getBoundingClientRect();
		if (block !== "not" && (r.top < 0 || r.left < 0 || r.bottom > innerHeight || r.right > innerWidth || !on_top(e)))
			e.scrollIntoView({ block, inline: block, behavior: "instant" });
	};

	/* The next frame; where none is drawn, a moment. */
	const frame = () => new Promise((resolve) => {
		const timer = setTimeout(resolve, 100);
		requestAnimationFrame(() => {
			clearTimeout(timer);
			resolve();
		});
	});
	const box = (e) => {
		const r = e.getBoundingClientRect();
		return `${r.left} ${r.top} ${r.width} ${r.height}`;
	};
	let state = {};
	const still = async (e) => {
		const before = box(e);
		await frame();
		await frame();
		state.moving = box(e) !== before;
		return e.isConnected && !state.moving;
	};
	const fits = (e, w) => {
		if (!e)
			return Boolean(w.gone);
		state.readonly = Boolean(w.edit) && Boolean(e.readOnly || e.getAttribute("aria-readonly") === "true");
		state.optionless = w.option !== undefined && !option(e, w);
		if (w.press) {
			state.disabled = e.matches(":disabled,[aria-disabled=true]") || e.closest("[inert]") !== null;
			bring(e, w.bring);
			state.covered = !on_top(e);
		}
		return !w.gone && !state.readonly && !state.optionless && !state.disabled && !state.covered &&
			(w.value === undefined || collapse(tell(e, w)) === collapse(w.value));
	};
	const look = async () => {
		state = {};
		for (const [which, w] of wishes.entries()) {
			const e = find(w);
			if (!fits(e, w) || w.press && !(await still(e) && fits(e, w)))
				continue;
			globalThis.steadElement = e;
			const [x, y] = w.press ? point(e) : [0, 0];
			return { which, text: e ? tell(e, w) : "", x, y, tag: e ? e.tagName.toLowerCase() : "" };
		}
		return null;
	};

	const cell = (e, c) => {
		const it = c.css ? e.querySelector(c.css) : e;
		return it ? collapse(c.attribute ? it.getAttribute(c.attribute) : shown(it)) : "";
	};

	/* The document's own HTTP status; 0 for the browser's error page, 200 for one that came without any. */
	const status = () => location.protocol === "chrome-error:" ? 0 :
		performance.getEntriesByType("navigation")[0]?.responseStatus || 200;
	const ROWS_QUIET_MS = 300, NONE_QUIET_MS = 700;
	let seen, seen_at = 0;
	/* Why it is not read yet, or its rows. Nobody is told that it is empty because it has not come. */
	const list = () => {
		const rows = find_all(wishes[0]).map((e) => cells.map((c) => cell(e, c)));
		if (!none)
			return { rows };
		const now = performance.now(), text = JSON.stringify(rows);
		const marked = rows.length > 0 || find(none) !== null;
		if (!marked || text !== seen) {
			seen = marked ? text : undefined;
			seen_at = now;
		}
		if (status() === 0 || status() >= 400)
			return { unread: "error", status: status() };
		if (!marked)
			return { unread: "markless", status: status() };
		return now - seen_at < (rows.length ? ROWS_QUIET_MS : NONE_QUIET_MS) ? { unread: "changing", status: status() } : { rows };
	};

	/* A mutation, the end of an animation, or a moment: styles change what is visible without telling anybody. */
	let wake = () => {};
	let changed = false;
	const note = () => {
		changed = true;
		wake();
	};
	const observer = new MutationObserver(note);
	const EVENTS = ["animationend", "transitionend", "load", "scroll", "input", "change", "DOMContentLoaded"];
	const change = (ms) => new Promise((resolve) => {
		const timer = setTimeout(resolve, Math.min(ms, 100));
		wake = () => {
			clearTimeout(timer);
			resolve();
		};
		if (changed)
			wake();
	});

	const address = location.href;
	const end = performance.now() + timeout_ms;
	const left = () => Math.max(end - performance.now(), 0);
	const parsed = () => document.readyState !== "loading";
	const wait = async () => {
		for (;;) {
			const last = left() === 0; /* it may run out in the midst of a look, which then is not the last one */
			changed = false;
			if (cells && (parsed() || last)) {
				const now = list();
				if (now.rows || now.unread === "error" || last)
					return now;
			}
			const found = cells ? null : await look();
			if (found)
				return found;
			if (location.href !== address)
				return { moved: true };
			if (last) {
				const e = wishes.length ? find(wishes[0]) : null;
				return { seen: e ? tell(e, wishes[0]) : null, ...state };
			}
			await change(left());
			if (changed)
				await frame(); /* what comes in one frame is looked at once */
		}
	};
	observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
	for (const type of EVENTS)
		addEventListener(type, note, true);
	try {
		return await wait();
	} finally {
		observer.disconnect();
		for (const type of EVENTS)
			removeEventListener(type, note, true);
	}
}
