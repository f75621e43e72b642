/*
 * watch: what a person does in a page that its picture cannot show: opening a select element, and copying text.
 *
 * Runs in an isolated world of every frame before its first script, so the page can neither call nor notice it; it
 * tells streamd through the binding steadTell, one JSON text each:
 *   { menu, options: [{ label, disabled, selected, heading }, ...] }   a list has been opened; menu is its number here
 *   { closed: menu }                                                   it is gone
 *   { copied: text }                                                   text was copied or cut, never of a password
 *   { offered: text }                                                  the page itself put text on the clipboard
 *   { passkey: "get" or "create" }                                     the page asked for a passkey
 *   { wants: "date", "time", "colour", "list" or "print" }             what Chromium shows and no picture does
 *   { title: text }                                                    of the page, in its uppermost frame
 *   { typing: true or false }                                          a field that takes text has the focus, or has lost it
 * globalThis.steadMenu answers: place(menu) gives the element, choose(menu, option) chooses (-1 closes the list).
 */
() => {
	const MOST_OPTIONS = 1000, MOST_LABEL = 512, MOST_TEXT = 65536, MOST_OFFERS = 100;
	if (globalThis.steadMenu)
		return;
	const tell = (what) => globalThis.steadTell(JSON.stringify(what));
	/* What is no text for others: half a pair of surrogates, NUL. */
	const clean = (s, most) => s.slice(0, most).toWellFormed().replaceAll("\0", "");
	let open = null, last = 0;

	/* Of a list that drops down; a page's own list (appearance: base-select) is in the picture like anything else. */
	const select_of = (e) => {
		const at = e.composedPath()[0];
		const s = at instanceof Element ? at.closest("select") : null;
		return s && !s.multiple && s.size <= 1 && !s.disabled && getComputedStyle(s).appearance !== "base-select" ? s : null;
	};

	const entries_of = (s) => {
		const entries = [];
		const add = (o, within) => {
			if (o.matches("option") && !o.hidden)
				entries.push({ option: o, label: o.label, disabled: o.disabled || within, selected: o.selected });
		};
		for (const child of s.children) {
			if (!child.matches("optgroup")) {
				add(child, false);
				continue;
			}
			entries.push({ option: null, label: child.label, disabled: child.disabled, heading: true });
			for (const o of child.children)
				add(o, child.disabled);
		}
		return entries.slice(0, MOST_OPTIONS);
	};
	const close = () => {
		if (open)
			tell({ closed: open.menu });
		open = null;
	};
	const show = (s) => {
		close();
		open = { menu: ++last, select: s, entries: entries_of(s) };
		tell({ menu: open.menu, options: open.entries.map(({ label, disabled, selected, heading }) =>
			({ label: clean(label.replace(/\s+/g, " ").trim(), MOST_LABEL), disabled, selected, heading })) });
	};
	const choose = (menu, number) => {
		if (open?.menu !== menu)
			return;
		const { select, entries } = open;
		const { option, disabled } = entries[number] ?? {};
		open = null;
		tell({ closed: menu });
		if (!option || disabled || option.selected || !option.isConnected)
			return;
		option.selected = true;
		select.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
		select.dispatchEvent(new Event("change", { bubbles: true }));
	};
	globalThis.steadMenu = { place: (menu) => open?.menu === menu ? open.select : null, choose };

	/* What would open the list is kept from doing so: Chromium's own is a window that no picture shows. */
	const toggle = (e, s) => {
		const again = open?.select === s;
		e.preventDefault();
		s.focus({ preventScroll: true });
		close();
		if (!again)
			show(s);
	};
	addEventListener("mousedown", (e) => {
		const s = e.isTrusted && e.button === 0 ? select_of(e) : null;
		if (s)
			toggle(e, s);
		else if (e.isTrusted)
			close();
	}, true);
	addEventListener("keydown", (e) => {
		const s = e.isTrusted ? select_of(e) : null;
		const opens = e.key === " " || e.key === "F4" || e.altKey && (e.key === "ArrowDown" || e.key === "ArrowUp");
		if (s && opens)
			toggle(e, s);
		else if (e.isTrusted && (e.key === "Escape" || e.key === "Tab"))
			close();
	}, true);
	addEventListener("scroll", (e) => {
		if (open && e.target.contains?.(open.select))
			close();
	}, true);
	for (const type of ["resize", "blur"])
		addEventListener(type, (e) => e.target === globalThis ? close() : undefined, true);

	const focused = () => {
		let e = document.activeElement;
		while (e?.shadowRoot?.activeElement)
			e = e.shadowRoot.activeElement;
		return e;
	};
	const selected = () => {
		const e = focused();
		if (e?.matches("input[type=password]"))
			return "";
		if (e?.matches("input,textarea") && e.selectionStart !== null)
			return e.value.slice(e.selectionStart, e.selectionEnd);
		return String(getSelection() ?? "");
	};
	/* Chromium's own windows for these are in no picture either, and what they are for can be typed. */
	const CHOOSERS = { date: "date", "datetime-local": "date", month: "date", week: "date", time: "time", color: "colour" };
	addEventListener("click", (e) => {
		const input = e.isTrusted && e.composedPath()[0];
		const wants = input instanceof HTMLInputElement && !input.disabled && !input.readOnly
			&& (CHOOSERS[input.type] ?? (input.list ? "list" : null));
		if (wants)
			tell({ wants });
	}, true);
	addEventListener("beforeprint", (e) => e.isTrusted && tell({ wants: "print" }));

	/* Chromium says a title with the address alone, when the page has none yet. */
	let title = "";
	const entitle = () => {
		const now = clean(document.title, MOST_LABEL);

		if (now !== title)
			tell({ title: title = now });
	};
	const follow_title = () => {
		const e = document.querySelector("title");

		entitle();
		if (e)
			new MutationObserver(entitle).observe(e, { childList: true, characterData: true, subtree: true });
	};
	if (globalThis === top) {
		addEventListener("DOMContentLoaded", follow_title);
		addEventListener("load", entitle);
	}

	/* Whether a phone's keyboard would have something to type into. */
	const TYPED = ["text", "search", "url", "tel", "email", "password", "number"];
	let typing = false;
	const look = () => {
		const e = focused();
		const now = document.hasFocus() && Boolean(e && !e.readOnly && !e.disabled
			&& (e.isContentEditable || e.matches("textarea") || (e.matches("input") && TYPED.includes(e.type))));
		if (now !== typing)
			tell({ typing: typing = now });
	};
	addEventListener("focusin", look, true);
	addEventListener("focusout", () => setTimeout(look), true);

	/* The page may put something of its own on the clipboard, or keep the event from going further. */
	let copied = "";
	const begin = (e) => {
		if (!e.isTrusted)
			return;
		copied = selected();
		setTimeout(() => {
			if (copied)
				tell({ copied: clean(copied, MOST_TEXT) });
			copied = "";
		});
	};
	const end = (e) => {
		if (e.isTrusted && e.defaultPrevented && !focused()?.matches("input[type=password]"))
			copied = e.clipboardData?.getData("text/plain") ?? "";
	};
	/* What device.js sees of the page's own doing. */
	let offered = 0;
	document.addEventListener("stead-copied", ({ detail }) => {
		if (typeof detail === "string" && detail && ++offered <= MOST_OFFERS)
			tell({ offered: clean(detail, MOST_TEXT) });
	}, true);
	let asked = 0;
	document.addEventListener("stead-passkey", ({ detail }) => {
		if (++asked <= MOST_OFFERS)
			tell({ passkey: detail === "create" ? "create" : "get" });
	}, true);
	for (const type of ["copy", "cut"]) {
		addEventListener(type, begin, true);
		addEventListener(type, end);
	}
}
