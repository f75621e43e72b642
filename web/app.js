/* The page's beginning: asks who is signed in, then shows the page that the address names. */
import { render } from "preact";
import { account, accountPart, askingAgain } from "./account.js";
import { route, routerStart } from "./router.js";
import { Question } from "./parts/dialog.js";
import { Loading } from "./parts/frame.js";
import { Notices, Trouble } from "./parts/notice.js";
import { PausePlan } from "./parts/plan_acts.js";
import { html } from "./parts/html.js";
import { Booking } from "./pages/booking.js";
import { BookingNew } from "./pages/booking_new.js";
import { Dashboard } from "./pages/dashboard.js";
import { Missing } from "./pages/missing.js";
import { Plan } from "./pages/plan.js";
import { PlanForm } from "./pages/plan_form.js";
import { SignInDialog, SignInPage } from "./pages/sign_in.js";
import { SignInStart } from "./pages/sign_in_start.js";
import { Stream } from "./pages/stream.js";
import { Work } from "./pages/work.js";

const PAGES = {
	dashboard: Dashboard,
	sign_in_start: SignInStart,
	booking_new: BookingNew,
	stream: Stream,
	booking: Booking,
	plan: Plan,
	plan_form: PlanForm,
	work: Work,
	missing: Missing,
};

function Current()
{
	if (account.value === undefined && accountPart.trouble.value)
		return html`<main class="door"><${Trouble} title="Stead cannot be reached"
			error=${accountPart.trouble.value} retry=${() => accountPart.refresh()}
			atMs=${accountPart.retryAtMs} /></main>`;
	if (account.value === undefined)
		return html`<main class="door"><${Loading} what="Loading …" /></main>`;
	if (account.value === null)
		return html`<${SignInPage} />`;

	const { page, params, path } = route.value;

	return html`<${PAGES[page]} key=${path} path=${path} ...${params} />`;
}

function App()
{
	return html`
		<${Current} />
		<${Question} />
		<${PausePlan} />
		${askingAgain.value && html`<${SignInDialog} />`}
		<${Notices} />`;
}

routerStart();
render(html`<${App} />`, document.getElementById("app"));
accountPart.follow();
