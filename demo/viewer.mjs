/* The person's own browser: Debian's Chromium, in its sandbox, driven by playwright-core. */
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/lib/chromium/chromium";
const ARGUMENTS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync"];

export function openViewer()
{
	return chromium.launch({ executablePath: CHROMIUM, chromiumSandbox: true, args: ARGUMENTS,
		handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false });
}

/* A window of its own, with its own cookies. */
export async function openWindow(browser, { width = 1280, height = 860, colorScheme = "light" } = {})
{
	const context = await browser.newContext({ viewport: { width, height }, colorScheme, locale: "en-GB", timezoneId: "UTC",
		reducedMotion: "reduce" });

	return context.newPage();
}
