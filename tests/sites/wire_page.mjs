/* The pages of the site that answers badly (wire.mjs): what sends its acts, in all the ways there are. */
export const AGAIN_MS = 1000; /* until a page that is waited for loads itself again */
const LATER_MS = 1500; /* until a page books whose press has come to nothing so far */
const TOO_LATE_MS = 4200; /* by then it is told that nothing was sent */
const AFTER_PRESS_MS = 3000; /* how long a press is waited for to send something */

export const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/* What a page sends to its site all the time: its button can be pressed only once much of it has been sent. */
const LATE = ["beat", "ping"];

/* What a frame of the page shows. */
const INNER = ["framed", "targeted", "framedForm"];

/* A page that acting leads to, and that has itself sent again: how. */
export const AGAIN = {
	reloads: "location.reload()",
	goes: "history.go(0)",
	navigates: "navigation.reload()",
	resubmits: "const form = Object.assign(document.createElement('form'), { method: 'post' }); document.body.append(form); form.submit()",
	pressed: "", /* by a button */
	returns: "history.length > 1 && !sessionStorage.been ? (sessionStorage.been = 1, location.assign('/back')) : 0",
};

/* A list that wants to go back to what came of the act. */
export const GOES_BACK = "<script>setTimeout(() => history.go(-2), 50)</script>";

/* What goes on when it has been left. */
const GOES_ON = ["afterwards", "place", "opener"];

const SCRIPT = `
	const LATE = ${JSON.stringify(LATE)}, GOES_ON = ${JSON.stringify(GOES_ON)}, AFTER_PRESS_MS = ${AFTER_PRESS_MS};
	const sends = {
		form: () => document.forms[0].submit(),
		fetch: () => fetch(document.forms[0].action, { method: "POST", body: "x" }),
		keepalive: () => fetch(document.forms[0].action, { method: "POST", body: "x", keepalive: true }),
		beacon: () => navigator.sendBeacon(document.forms[0].action, "x"),
		link: () => location.assign(document.forms[0].action),
		get: () => fetch(document.forms[0].action),
		/* What asks with GET and is no script's. */
		picture: () => { new Image().src = document.forms[0].action; },
		jsonp: () => { document.body.append(Object.assign(document.createElement("script"), { src: document.forms[0].action })); },
		framed: () => { document.querySelector("iframe").src = document.forms[0].action; },
		targeted: () => framedForm("get"),
		/* A check, and then what acts, both with GET; and pictures that are asked for first, of which one never comes. */
		getTwice: () => fetch("/checked?" + query).then(sends.get),
		lazily: async () => {
			for (let i = 0; i < 8; i++)
				new Image().src = "/picture?" + i;
			await pause(${LATER_MS});
			await sends.fetch();
		},
		stuck: () => {
			new Image().src = "/stuck";
			return pause(${LATER_MS}).then(sends.fetch);
		},
		/* What is pressed first does nothing yet, or checks something. */
		second: () => { presses += 1; return presses > 1 && sends.fetch(); },
		check: () => fetch("/check", { method: "POST", body: "x" }),
		checkedFirst: () => { presses += 1; return presses > 1 ? sends.fetch() : sends.check(); },
		checkedLate: () => { presses += 1; return presses > 1 ? pause(${LATER_MS}).then(sends.fetch) : sends.check(); },
		stillPressed: () => sends.fetch(),
		stillWritten: () => sends.fetch(),
		debounced: () => pause(500).then(sends.fetch),
		framedForm: () => framedForm("post"),
		twice: async () => {
			await fetch("/check", { method: "POST", body: "x" });
			await sends.fetch();
		},
		slowly: async () => {
			await fetch("/check", { method: "POST", body: "x" });
			await fetch("/slow");
			await sends.fetch();
		},
		checked: async () => {
			await fetch("/check", { method: "POST", body: "x" });
			await new Promise((done) => setTimeout(done, 400));
			await sends.fetch();
		},
		/* What fails is sent again, by the page itself. */
		persists: async () => {
			const book = () => sends.fetch().then((response) => response.text());

			await book().catch(book);
		},
		beside: async () => {
			const sent = sends.persists();

			navigator.sendBeacon("/check", "x");
			await sent;
		},
		later: () => askNobody(${LATER_MS}).then(sends.fetch),
		/* It is so busy with it that it does not say at once whether it has anything to say when it is left. */
		tooLate: async () => {
			await askNobody(${TOO_LATE_MS});
			for (let left = false; !left;) {
				const sent = sends.fetch().then(() => true, () => false), until = Date.now() + 50;

				while (Date.now() < until)
					continue;
				left = await sent;
			}
		},
		counted: async () => {
			navigator.sendBeacon("https://analytics.invalid/", "x");
			await new Promise((resolve) => setTimeout(resolve, ${LATER_MS}));
			await sends.fetch();
		},
		preflight: async () => {
			await fetch("/check", { method: "POST", body: "x" });
			await fetch(document.forms[0].action.replace("://", "://x"), { method: "POST", body: "x", headers: { "X-Row": "1" } });
		},
		plain: () => post("http://plain" + location.host),
		closed: () => post("http://closed" + location.host),
		worker: () => new Worker("/worker.js").postMessage(document.forms[0].action),
		service: () => navigator.serviceWorker.controller.postMessage(document.forms[0].action),
		frame: () => document.querySelector("iframe").contentWindow.postMessage(document.forms[0].action, "*"),
		removed: () => document.querySelector("iframe").contentWindow.fetch(document.forms[0].action, { method: "POST", body: "x", keepalive: true }),
		nothing: () => {},
		goodbye: () => sends.fetch(),
		goesBack: () => sends.form(),
		/* What is answered late is not all: the page goes on when it has been left. */
		afterwards: () => fetch("/check?" + query, { method: "POST", body: "x" }).then(() => goOn()),
		place: () => sends.fetch().then(() => goOn()),
		opener: () => { open("/popup?" + query); goOn("wait=0"); },
		/* What another button sends is held back before there is that; it is there once the former has been answered. */
		late: async () => {
			await pause(2 * AFTER_PRESS_MS);
			await beat();
			document.body.append(Object.assign(document.createElement("button"), { id: "yes", textContent: "Yes", onclick: sends.fetch }));
		},
	};
	const query = new URLSearchParams(location.search), kind = query.get("kind");

	const askNobody = (ms) => fetch("https://closed" + location.host, { method: "POST", body: "x", mode: "no-cors" }).catch(() =>
		new Promise((resolve) => setTimeout(resolve, ms)));

	const post = (origin) => {
		const form = document.forms[0];

		form.action = origin + form.getAttribute("action");
		form.submit();
	};

	const framedForm = (method) => {
		const form = Object.assign(document.createElement("form"), { method, action: "/book", target: "inner" });

		for (const [name, value] of new URL(document.forms[0].action).searchParams)
			form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
		if (method === "post")
			form.action = document.forms[0].action;
		document.body.append(form);
		form.submit();
	};

	const pause = (ms) => new Promise((done) => setTimeout(done, ms));

	/* Sends once more when the site says so, which has seen the page left; it is asked again and again, or left to say it (RFC 7240). */
	const ask = (prefer) => fetch("/go?" + query, { headers: { Prefer: prefer } }).then((r) => r.text()).catch(() => "cut");

	const goOn = async (prefer = "wait=60") => {
		while (await ask(prefer) !== "now")
			await pause(30);
		await fetch("/moved?answer=done&row=" + encodeURIComponent(query.get("row") + " later"), { method: "POST", body: "x" });
	};

	const poll = () => fetch("/poll").catch(() => {});

	const beat = () => fetch("/beat", { method: "POST", body: "x" }).catch(() => {});

	if (query.get("poll") === "poll") {
		poll();
		setInterval(poll, 30);
	} else if (query.get("poll") === "beat") {
		setInterval(beat, 30);
	} else if (query.get("poll") === "ping") {
		const line = new WebSocket("wss://" + location.host + "/socket");

		line.onopen = () => setInterval(() => line.send("ping"), 30);
	}
	if (LATE.includes(query.get("poll")))
		setTimeout(() => { document.querySelector("#go").disabled = false; }, 1000);
	if (kind === "service")
		navigator.serviceWorker.register("/service.js").then(() => navigator.serviceWorker.ready).then(() => {
			document.querySelector("#go").disabled = false;
		});
	/* The document that sends it ends while its connection is being made. */
	const endWhileConnecting = async () => {
		await fetch("https://x" + location.host + "/connecting" + location.search, { mode: "no-cors" });
		if (pressed)
			document.querySelector("iframe").remove();
		else
			endWhileConnecting();
	};

	const cart = "/cart" + location.search;

	const asked = () => { document.querySelector("#asked").hidden = false; };

	document.querySelector("#cart").onclick = () => {
		fetch(cart, { method: "POST", body: "x" });
		asked();
	};
	document.querySelector("#workers").onclick = () => {
		const worker = new Worker("/worker.js");

		worker.onmessage = asked;
		worker.postMessage(cart);
	};

	/* The list as another place of the same document. */
	const showList = async () => {
		if (location.hash === "#list")
			document.querySelector("main").innerHTML = await fetch("/rows").then((r) => r.text());
	};

	if (GOES_ON.includes(kind)) /* what has been asked for before the press is no act */
		ask("wait=0");
	addEventListener("hashchange", showList);
	showList();
	let pressed = false;

	document.querySelector("#go").addEventListener("click", () => { pressed = true; });
	if (kind === "removed")
		endWhileConnecting();
	let presses = 0;

	const act = () => Promise.resolve(sends[kind]()).catch(() => {}).then(() => {
		document.querySelector("#done").hidden = false;
	});

	document.querySelector("#go").onclick = act;
	/* They take what they are told, and are as they were then. */
	document.querySelector("#menu").onchange = ({ target }) => {
		target.selectedIndex = 0;
		act();
	};
	document.querySelector("#box").onchange = act;
	document.querySelector("#box").onkeydown = ({ key, ctrlKey }) => key === "Enter" && ctrlKey && act();
	document.querySelector("#slot").ondragover = (e) => e.preventDefault();
	document.querySelector("#slot").ondrop = (e) => {
		e.preventDefault();
		act();
	};
	document.querySelector("#slot").ondblclick = act;
	document.querySelector("#file").onchange = async ({ target }) => {
		const given = await target.files[0].text();

		target.value = "";
		if (given === query.get("row"))
			act();
	};
	/* It stands still for the answer to what it sends as it is pressed, or written to. */
	const STANDS_STILL = { stillPressed: "focus", stillWritten: "input" };

	document.querySelector("#quick").addEventListener(STANDS_STILL[kind] ?? "none", () => {
		const request = new XMLHttpRequest();

		request.open("POST", "/check", false);
		request.send("x");
	}, { once: true });
	document.querySelector("#quick").onchange = ({ target }) => {
		if (target.value === query.get("row")) /* the whole of it */
			act();
		target.value = "";
	};
`;

export function actPage(host, query, beside)
{
	const action = `/book?${new URLSearchParams({ row: query.get("row"), answer: query.get("answer") })}`;
	const kind = query.get("kind");
	const hint = query.get("answer") === "preconnected" ? `<link rel="preconnect" href="https://${host}/">` : "";
	const frame = kind === "frame" ? `<iframe src="https://${beside}/frame"></iframe>` : kind === "removed" ? "<iframe></iframe>"
		: INNER.includes(kind) ? "<iframe name=inner></iframe>" : "";

	return `<!doctype html><title>Act</title>${hint}<form method="post" action="${escape(action)}"></form>
		<button id="cart">Cart</button><button id="workers">Cart, by a worker</button><p id="asked" hidden>asked</p>
		<select id="menu"><option>-</option><option>Book</option></select><input id="quick"><input id="box" type="checkbox"><input id="file" type="file">
		<b id="card" draggable="true">Card</b> <b id="slot">Slot</b> <button id="go"${kind === "service" || LATE.includes(query.get("poll")) ? " disabled" : ""}>Go</button><p id="done" hidden>done</p>${frame}<main></main><script>${SCRIPT}</script>`;
}

/* A token in sessionStorage, which every page replaces. */
export const TAB = `<script>sessionStorage.n = Number(sessionStorage.n || 0) + 1; fetch("/tab?n=" + sessionStorage.n + (location.pathname === "/list" ? "&list" : "")).then((r) => r.text());</script>`;

/* What tries in every way to say goodbye. */
export const FAREWELL = `<script>addEventListener("pagehide", () => {
	navigator.sendBeacon("/bye");
	fetch("/bye", { method: "POST", keepalive: true });
	fetch("/bye?get", { keepalive: true });
	new Image().src = "/bye?picture";
});</script>`;

export const POPUP = "<!doctype html><p>Popup</p><script>fetch(\"/book\" + location.search, { method: \"POST\", body: \"x\" });</script>";
export const FRAME = "<!doctype html><script>onmessage = (e) => fetch(e.data, { method: \"POST\", body: \"x\" });</script>";
export const WORKER = "onmessage = (e) => { fetch(e.data, { method: \"POST\", body: \"x\" }); postMessage(\"asked\"); };";
export const SERVICE = `oninstall = () => skipWaiting();
	onactivate = (e) => e.waitUntil(clients.claim());
	onmessage = (e) => e.waitUntil(fetch(e.data, { method: "POST", body: "x" }));`;
export const BACK = "<!doctype html><p>Back</p><script>setTimeout(() => history.back(), 200)</script>";
