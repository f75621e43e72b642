/*
 * What a person does with Stead, in a real browser: looks at its pages, reads them, types and clicks. Nothing here
 * reaches behind the page.
 */
import { see } from "./eyes.mjs";

/* The colours by which somebody recognises the stand-ins' main buttons. */
const SITE_BUTTON = [15, 118, 110];
const SSO_BUTTON = [39, 75, 143];
const STEP_MS = 120_000;
const TYPE_MS = 15;

/* What follows a rejected wait: what the page says instead, and a picture of it. */
export async function orWhatItSays(page, promise, what)
{
	try {
		return await promise;
	} catch (error) {
		const text = (await page.locator("main").innerText().catch(() => "")).replace(/\s+/g, " ").slice(0, 600);
		const path = `build/pictures/failed-${Date.now()}.png`;
		const kept = await page.screenshot({ path }).then(() => ` A picture of it: ${path}.`, () => "");

		throw new Error(`${what} did not come: ${error.message.split("\n")[0]} The page says: ${text}${kept}`);
	}
}

export class Person {
	/* page: of playwright; url: Stead's */
	constructor(page, url)
	{
		this.page = page;
		this.url = url;
		page.setDefaultTimeout(STEP_MS);
	}

	heading(name)
	{
		return this.page.getByRole("heading", { name, exact: true });
	}

	async signInToStead({ name, password })
	{
		const { page } = this;

		await page.goto(this.url);
		await page.getByLabel("Name").fill(name);
		await page.getByLabel("Password").fill(password);
		await page.getByRole("button", { name: "Sign in" }).click();
		await orWhatItSays(page, this.heading("Dashboard").waitFor(), "The dashboard");
	}

	async dashboard()
	{
		await this.page.goto(this.url);
		await this.heading("Dashboard").waitFor();
	}

	card(title)
	{
		return this.page.getByRole("article", { name: title });
	}

	/* From the dashboard or a booking to the picture of the sign-in page. */
	async openSignIn(link)
	{
		await link.click();
		await this.addressShows("desk.test");
		await this.#seeSitesButton();
	}

	#seeSitesButton()
	{
		return see(this.page, SITE_BUTTON, "the button \"Continue with company SSO\"");
	}

	/* And its page has loaded: until then its scripts may still move the focus. */
	async addressShows(host)
	{
		const loaded = this.page.locator("[role=group][aria-label='Address of the page'][aria-busy=false]");
		const address = loaded.locator("strong").filter({ hasText: new RegExp(`^${host.replaceAll(".", "\\.")}$`) });

		await orWhatItSays(this.page, address.waitFor(), `The address of ${host}`);
	}

	async #click({ x, y })
	{
		await this.page.mouse.move(x, y, { steps: 4 });
		await this.page.mouse.down();
		await this.page.mouse.up();
	}

	async #type(text)
	{
		await this.page.keyboard.type(text, { delay: TYPE_MS });
	}

	async toCompanySso()
	{
		await this.#click(await this.#seeSitesButton());
		await this.addressShows("sso.test");
		this.next = await see(this.page, SSO_BUTTON, "the button \"Next\"");
	}

	/* The field for the name has the focus when the page opens. */
	async passwordTyped({ login, password })
	{
		await this.#type(login);
		await this.page.keyboard.press("Tab");
		await this.#type(password);
		await this.#click(this.next);
		/* The page with one field has its button higher up. */
		this.verify = await see(this.page, SSO_BUTTON, "the page that asks for the one-time code",
			{ accept: ({ y }) => y < this.next.y - 10 });
	}

	async codeTyped(code)
	{
		await this.#type(code);
		await this.#click(this.verify);
	}

	/* step: as the page calls it, such as "Signed in". */
	stepReached(step)
	{
		const passed = this.page.getByRole("list", { name: "Steps of the sign-in" })
			.locator("li.passed, li.current").filter({ hasText: step });

		return orWhatItSays(this.page, passed.waitFor(), `The step "${step}"`);
	}

	saved()
	{
		return orWhatItSays(this.page, this.heading("Saved").waitFor(), "\"Saved\"");
	}

	/* Resolves to the reason that the page gives. */
	async notSaved()
	{
		await orWhatItSays(this.page, this.heading("The sign-in was not saved").waitFor(), "The end of the sign-in");
		return this.page.locator(".verdict p").nth(1).innerText();
	}

	/* The rest of a sign-in at the site, from its first page on. */
	async signInAtSite(account, code)
	{
		await this.toCompanySso();
		await this.passwordTyped(account);
		await this.codeTyped(await code());
	}

	/* From the dashboard: fills the form of an action; resolves to the number of the booking, whose page is then shown. */
	async book(title, { date, desk, note }, action = "Book a desk")
	{
		const { page } = this;

		await this.card(title).getByRole("link", { name: action }).click();
		await page.getByLabel("Day", { exact: true }).fill(date);
		await page.getByLabel(/^Desk/).fill(desk);
		await page.getByLabel(/^Note/).fill(note);
		await page.getByRole("button", { name: action }).click();
		await orWhatItSays(page, page.waitForURL(/\/bookings\/\d+$/), "The page of the booking");
		return Number(page.url().split("/").at(-1));
	}

	/* badge: as the page calls the state, such as "Booked". */
	bookingIs(badge)
	{
		return orWhatItSays(this.page, this.page.locator(".card .badge").filter({ hasText: badge }).waitFor(),
			`The state "${badge}"`);
	}

	logLines()
	{
		return this.page.getByRole("log").locator("li .text").allInnerTexts();
	}
}
