/*
 * What a person does with Stead and the wiki behind it: demo/person.mjs, who has learnt what DokuWiki's sign-in page
 * looks like, and what can be asked for there.
 */
import { orWhatItSays, Person } from "../../../demo/person.mjs";
import { HOST } from "./wiki.mjs";

const TITLE = "Team wiki";
const TYPE_MS = 15;
/* Below the form runs a grey line, 415 pixels long. */
const FORM_LINE = { darkest: 175, lightest: 228, least: 400, most: 430 };
/* The black frame around the field that has the focus is 200 pixels wide. */
const FOCUS_LINE = { darkest: 0, lightest: 90, least: 150, most: 220 };
/* How far above the form's line the frame's lower edge is then, in pixels. */
const NAME_UP = 90, PASSWORD_UP = 50, OFF = 12;

/* Runs in Stead's page: whether the lowest line of one kind in the picture is so far above the lowest of another. */
function lineAbove({ line, base, up, off })
{
	const canvas = document.querySelector("canvas");

	if (!canvas?.width || canvas.classList.contains("blank"))
		return false;

	const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
	const lowest = ({ darkest, lightest, least, most }) => {
		const fits = (at) => [0, 1, 2].every((i) => data[at * 4 + i] >= darkest && data[at * 4 + i] <= lightest);

		for (let y = height - 1; y >= 0; y--) {
			for (let x = 0, run = 0; x <= width; x++) {
				if (x < width && fits(y * width + x)) {
					run += 1;
					continue;
				}
				if (run >= least && run <= most)
					return y;
				run = 0;
			}
		}
		return NaN;
	};

	return Math.abs(lowest(base) - lowest(line) - up) <= off;
}

export class Visitor extends Person {
	get wikiCard()
	{
		return this.card(TITLE);
	}

	/* link: on the dashboard or beside a booking. Resolves once the field for the name has the focus, which DokuWiki gives it. */
	async openWiki(link)
	{
		await link.click();
		await this.addressShows(HOST);
		await this.#focusShows(NAME_UP, "the focus in the field for the name");
	}

	async #focusShows(up, what)
	{
		const how = { line: FOCUS_LINE, base: FORM_LINE, up, off: OFF };

		await orWhatItSays(this.page, this.page.waitForFunction(lineAbove, how), what);
	}

	async signInAtWiki({ login, password })
	{
		const { keyboard } = this.page;

		await keyboard.type(login, { delay: TYPE_MS });
		await keyboard.press("Tab");
		await this.#focusShows(PASSWORD_UP, "the focus in the field for the password");
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
