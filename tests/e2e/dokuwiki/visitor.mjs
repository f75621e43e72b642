/*
 * What a person does with Stead and the wiki behind it: demo/person.mjs, who has learnt what DokuWiki's sign-in page
 * looks like, and what can be asked for there.
 */
import { Person } from "../../../demo/person.mjs";
import { HOST } from "./wiki.mjs";

const TITLE = "Team wiki";
const SHOWN_MS = 20_000;
const TYPE_MS = 15;
/* Below the form runs a grey line, 415 pixels long; the field for the name is so far from its middle. */
const FORM_LINE = { darkest: 175, lightest: 228, least: 400, most: 430 };
const NAME_FIELD = { right: 100, up: 100 };
/* The black frame around the field that has the focus is 200 pixels wide. */
const FOCUS_LINE = { darkest: 0, lightest: 90, least: 150, most: 220 };

/*
 * Runs in Stead's page: the lowest horizontal line of such a grey and length in the picture, as { x, y } of its middle
 * on the screen, or null.
 */
function lineShown({ darkest, lightest, least, most })
{
	const canvas = document.querySelector("canvas");

	if (!canvas?.width || canvas.classList.contains("blank"))
		return null;

	const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
	const fits = (at) => [0, 1, 2].every((i) => data[at * 4 + i] >= darkest && data[at * 4 + i] <= lightest);

	for (let y = height - 1; y >= 0; y--) {
		for (let x = 0, run = 0; x <= width; x++) {
			if (x < width && fits(y * width + x)) {
				run += 1;
				continue;
			}
			if (run >= least && run <= most) {
				const shown = canvas.getBoundingClientRect();

				return { x: shown.left + (x - run / 2) * shown.width / width,
					y: shown.top + y * shown.height / height };
			}
			run = 0;
		}
	}
	return null;
}

export class Visitor extends Person {
	get wikiCard()
	{
		return this.card(TITLE);
	}

	/* link: on the dashboard or beside a booking. Resolves once the field for the name has the focus. */
	async openWiki(link)
	{
		await link.click();
		await this.addressShows(HOST);

		const { x, y } = await this.#line(FORM_LINE, "the box of the form");

		await this.page.mouse.click(x + NAME_FIELD.right, y - NAME_FIELD.up);
		await this.#line(FOCUS_LINE, "the focus in the field for the name");
	}

	async #line(how, what)
	{
		const found = await this.page.waitForFunction(lineShown, how, { timeout: SHOWN_MS }).catch(() => {
			throw new Error(`The picture did not show ${what} within ${SHOWN_MS / 1000} s.`);
		});

		return found.jsonValue();
	}

	async signInAtWiki({ login, password })
	{
		const { keyboard } = this.page;

		await keyboard.type(login, { delay: TYPE_MS });
		await keyboard.press("Tab");
		await keyboard.type(password, { delay: TYPE_MS });
		await keyboard.press("Enter");
	}

	/* From anywhere: asks for the room; resolves to the number of the booking, whose page is then shown. */
	async reserve({ room, date, what })
	{
		const { page } = this;

		await this.dashboard();
		await this.wikiCard.getByRole("link", { name: "Reserve a room" }).click();
		await page.getByLabel("Room").selectOption(room);
		await page.getByLabel("Day", { exact: true }).fill(date);
		await page.getByLabel("What for").fill(what);
		await page.getByRole("button", { name: "Reserve a room" }).click();
		await page.waitForURL(/\/bookings\/\d+$/);
		return Number(page.url().split("/").at(-1));
	}
}
