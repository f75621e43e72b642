/*
 * The tour: Stead's main job from the sign-in to the confirmed booking, done as a person would in a real browser, with
 * a look at what the site and the vault say about it. Each step is told with the time it took; the first that fails
 * ends the tour.
 */
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { Person } from "./person.mjs";
import { openWindow } from "./viewer.mjs";

const SITE = "Deskwise";
const OTHER = { name: "bea", password: "an other person's words" };
const DAY_MS = 86_400_000;

function dayFromNow(days)
{
	return new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
}

function expect(condition, sentence)
{
	if (!condition)
		throw new Error(sentence);
}

export class Tour {
	#stead;
	#browser;
	#say;
	#picture;
	#windows = [];

	/* say({ title, text, ms }): a part begins (title) or a step is done; picture(page, name): a moment worth keeping. */
	constructor({ stead, browser, say, picture = async () => {} })
	{
		this.#stead = stead;
		this.#browser = browser;
		this.#say = say;
		this.#picture = picture;
	}

	async #step(text, work)
	{
		const begun = performance.now();

		this.current = text;
		const said = await work();
		this.#say({ text: said ? `${text}: ${said}` : text, ms: Math.round(performance.now() - begun) });
	}

	async #person()
	{
		const page = await openWindow(this.#browser);

		this.#windows.push(page);
		return new Person(page, this.#stead.url);
	}

	account(login)
	{
		return this.#stead.sites.info.accounts.find((one) => one.login === login);
	}

	async #code(login)
	{
		return (await this.#stead.sites.control(`/totp?login=${login}`)).code;
	}

	async #sessions()
	{
		return JSON.parse(await this.#stead.steadctl("session", "list", "--json")).sessions;
	}

	/* What the site itself says this person has booked. */
	async #booked({ desk, date })
	{
		const { bookings } = await this.#stead.sites.control("/state");

		return bookings.filter((one) => one.desk === desk && one.date === date).length;
	}

	async #typeSignIn(person, login)
	{
		const account = this.account(login);

		await this.#step("clicks \"Continue with company SSO\" in the picture", () => person.toCompanySso());
		await this.#picture(person.page, "sign-in");
		await this.#step("types name and password", () => person.passwordTyped(account));
		await this.#step("types the one-time code", async () => person.codeTyped(await this.#code(login)));
	}

	async #untilSaved(person)
	{
		await this.#step("Stead notices that the sign-in is done", () => person.stepReached("Signed in"));
		await this.#step("and proves it in a fresh browser", () => person.stepReached("Proving"));
		await this.#picture(person.page, "proving");
		await this.#step("saved", () => person.saved());
	}

	async signIn()
	{
		const alice = this.alice = await this.#person();

		this.#say({ title: "A sign-in that is proved" });
		await this.#step(`opens ${this.#stead.url} and signs in to Stead`, () => alice.signInToStead(this.#stead.admin));
		await this.#step(`presses "Sign in" at ${SITE}; a browser starts and shows its page`,
			() => alice.openSignIn(alice.card(SITE).getByRole("link", { name: `Sign in to ${SITE}` })));
		await this.#typeSignIn(alice, "alice");
		await this.#untilSaved(alice);
		await this.#step("the vault holds one session", () => this.#savedForAlice());
		await this.#step("the dashboard shows whose it is and when it was proved", () => this.#dashboardShows("Works"));
		await this.#picture(alice.page, "dashboard");
	}

	async #savedForAlice()
	{
		const sessions = await this.#sessions();
		const [session] = sessions;

		expect(sessions.length === 1 && session.account === this.account("alice").email && session.health === "working",
			`The vault was to hold one session that works of ${this.account("alice").email} and holds ${JSON.stringify(sessions)}`);
		return `${session.account}, version ${session.version}`;
	}

	async #dashboardShows(health)
	{
		const card = this.alice.card(SITE);

		await this.alice.dashboard();
		await card.locator(".badge").filter({ hasText: health }).waitFor();
		await card.getByText(this.account("alice").email).waitFor();
	}

	async revoked()
	{
		const bob = await this.#person();

		this.#say({ title: "A sign-in that the site takes back before the proof" });
		await this.#step("another person signs in to Stead", async () => {
			await this.#stead.addUser(OTHER.name, OTHER.password);
			await bob.signInToStead(OTHER);
		});
		await this.#stead.sites.control("/knobs", { revoke_on_load: 2 });
		await this.#step(`opens the sign-in of ${SITE}`,
			() => bob.openSignIn(bob.card(SITE).getByRole("link", { name: `Sign in to ${SITE}` })));
		await this.#typeSignIn(bob, "bob");
		await this.#step("is told that it was not saved, and why", async () => {
			const reason = (await bob.notSaved()).replace(/\s+/g, " ");

			if (!/nobody is signed in/.test(reason))
				throw new Error(`The reason was to be that nobody is signed in; it is: ${reason}`);
			return reason;
		});
		await this.#picture(bob.page, "not-saved");
		await this.#stead.sites.control("/knobs", { revoke_on_load: 0 });
		await this.#step("nothing of it was stored", () => this.#nothingOfBob(bob));
		await bob.page.context().close();
	}

	async #nothingOfBob(bob)
	{
		const own = await bob.page.evaluate(async () => (await fetch("/api/v1/sessions")).json());
		const all = await this.#sessions();

		expect(own.sessions.length === 0 && all.length === 1,
			`Nothing was to be stored; that person's list is ${JSON.stringify(own)}, the vault's ${JSON.stringify(all)}`);
		expect(await this.#stead.postgres.sql("SELECT count(*) FROM vault.sessions") === "1",
			"The vault's table holds more than the one proved session.");
	}

	async restart()
	{
		this.#say({ title: "Everything is restarted" });
		await this.#step("all four daemons end and start again", () => this.#stead.restartDaemons());
		await this.#step("the session is still there, and so is the login", () => this.#dashboardShows(/^. Work(s|ed)/));
	}

	async #asks(wish, action)
	{
		let id;

		await this.alice.dashboard();
		await this.#step(`asks for desk ${wish.desk} on ${wish.date}`, async () => {
			id = await this.alice.book(SITE, wish, action);
			return `booking ${id}`;
		});
	}

	async #confirmed(wish)
	{
		const times = await this.#booked(wish);

		expect(times === 1, `${SITE} was to have the booking once and has it ${times} times.`);
	}

	async booking()
	{
		const wish = { date: dayFromNow(3), desk: "D-203", note: "near the window, please" };

		this.#say({ title: "A booking" });
		await this.#asks(wish);
		await this.#step("watches the log as a bot does it", () => this.alice.bookingIs("Booked"));
		await this.#picture(this.alice.page, "booking");
		await this.#step("the log tells each step", async () => {
			const lines = await this.alice.logLines();

			expect(lines.some((line) => line.includes("Book Now")), `The log does not tell of the booking: ${lines.join(" / ")}`);
			return `${lines.length} lines`;
		});
		await this.#step(`${SITE}'s own list has it, once`, () => this.#confirmed(wish));
	}

	async expiry()
	{
		const { alice } = this;
		const wish = { date: dayFromNow(4), desk: "D-205", note: "" };

		this.#say({ title: "A session that has expired" });
		await this.#stead.sites.control("/expire", { login: "alice" });
		await this.#asks(wish);
		await this.#step("the booking waits for the person", () => alice.bookingIs("Needs your sign-in"));
		await this.#picture(alice.page, "needs-sign-in");
		await this.#step("presses \"Sign in\" beside it",
			() => alice.openSignIn(alice.page.getByRole("link", { name: "Sign in", exact: true })));
		await this.#typeSignIn(alice, "alice");
		await this.#step("saved", () => alice.saved());
		await alice.page.getByRole("link", { name: "Back to the booking" }).click();
		await this.#step("the booking goes on by itself", () => alice.bookingIs("Booked"));
		await this.#step(`${SITE}'s own list has it, once`, () => this.#confirmed(wish));
	}

	/* The site has taken it and says nothing, and whoever has sent it is gone: it is looked for, and not sent again. */
	async request()
	{
		const wish = { date: dayFromNow(5), desk: "D-208", note: "" };

		this.#say({ title: "An action over HTTP, and botd killed in its middle" });
		await this.#stead.sites.control("/knobs", { accept_then_hang: 1 });
		await this.#asks(wish, "Reserve without a page");
		await this.#step(`${SITE} has taken it, and does not answer`, async () => {
			const { reached } = await this.#stead.sites.control("/wait?count=hung&at_least=1&timeout_ms=30000");

			expect(reached, `${SITE} was to be sent the booking.`);
		});
		await this.#step("botd is killed with SIGKILL, and starts again", async () => {
			await this.#stead.daemon("botd").kill("SIGKILL");
			await this.#stead.daemon("botd").start();
		});
		await this.#step("it is looked for and found", () => this.alice.bookingIs("Booked"));
		await this.#picture(this.alice.page, "request");
		await this.#step(`${SITE}'s own list has it, once`, () => this.#confirmed(wish));
	}

	/* As alice's page asks. */
	#api(path, method = "GET", body = undefined)
	{
		return this.alice.page.evaluate(async ([where, how, what]) => {
			const answer = await fetch(`/api/v1${where}`, { method: how, headers: { "Content-Type": "application/json" }, body: what });

			return answer.json();
		}, [path, method, body && JSON.stringify(body)]);
	}

	/* Until the plan's first run has become a booking, and that has ended: the booking. */
	async #firstRun(id)
	{
		const until = Date.now() + 60_000;

		while (Date.now() < until) {
			const { past: [run] = [] } = await this.#api(`/plans/${id}`);
			const { booking } = run?.booking ? await this.#api(`/bookings/${run.booking}`) : {};

			if (booking?.state === "done")
				return booking;
			await setTimeout(250);
		}
		throw new Error("The plan's first run has not ended within a minute.");
	}

	async plan()
	{
		const due = new Date(Math.ceil(Date.now() / 1000) * 1000 + 6000), desk = "D-209";
		let id;

		this.#say({ title: "A plan that repeats, and botd killed as it comes due" });
		await this.#step(`a plan asks every day for desk ${desk} a week ahead, at ${due.toISOString().slice(11, 19)}`, async () => {
			({ plan: { id } } = await this.#api("/plans", "POST", { key: "tour", site: "desk", action: "book", inputs: { date: "+7", desk },
				schedule: { days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], times: [due.toISOString().slice(11, 19)] } }));
			await this.alice.page.goto(`${this.#stead.url}/plans/${id}`);
			await this.alice.page.getByRole("heading", { name: `Book a desk: ${desk}` }).waitFor();
		});
		await this.#picture(this.alice.page, "plan");
		await this.#step("botd is killed with SIGKILL at that second, and starts again", async () => {
			await setTimeout(due - Date.now());
			await this.#stead.daemon("botd").kill("SIGKILL");
			await this.#stead.daemon("botd").start();
		});
		await this.#step("its run has become one booking", async () => {
			const { outcome, inputs } = await this.#firstRun(id);

			expect(outcome === "booked", `The booking of the plan ended as ${outcome}.`);
			await this.#confirmed({ desk, date: inputs.date });
			return `${SITE}'s own list has it, once`;
		});
	}

	async leftovers()
	{
		this.#say({ title: "What is left" });
		await this.#step("no browser is left running", () => this.#noBrowsers());
		await this.#step("everybody is well", async () => {
			const text = await this.#stead.steadctl("status");

			expect(!/trouble/.test(text), `steadctl status tells of trouble:\n${text}`);
		});
	}

	/* A bot's browser may still be closing. */
	async #noBrowsers()
	{
		const until = Date.now() + 10_000;
		let left = -1;

		while (Date.now() < until && left !== 0)
			left = Number(/browsers\W+(\d+)/.exec(await this.#stead.steadctl("status"))?.[1]);
		expect(left === 0, `${left} browsers are still running`);
	}

	async run()
	{
		await this.signIn();
		await this.revoked();
		await this.restart();
		await this.booking();
		await this.expiry();
		await this.request();
		await this.plan();
		await this.leftovers();
	}

	/* Pictures of all windows as they are now; resolves to their paths. */
	async photograph(directory)
	{
		const open = this.#windows.filter((page) => !page.isClosed());

		return Promise.all(open.map(async (page, i) => {
			const path = join(directory, `failed-${i + 1}.png`);

			await page.screenshot({ path });
			return path;
		}));
	}
}
