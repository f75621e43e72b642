/* Signing in to Stead: a page of its own, or a dialog over the page whose login has ended. */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { account, askingAgain, signIn } from "../account.js";
import { Dialog } from "../parts/dialog.js";
import { Heading, Logo, useTitle } from "../parts/frame.js";
import { ForAdministrators } from "../parts/notice.js";
import { html } from "../parts/html.js";

/* A name of blanks is none; browsers' own check of "required" takes it for one. */
function mistakeOf(name)
{
	return name.trim() ? null : { message: "Type your name.", field: "name" };
}

/* Which of the two is wrong is not said when it is the pair that is refused, so both are. */
function wrong(trouble, field)
{
	return trouble && (trouble.field === field || trouble.code === "bad_password") ? "true" : undefined;
}

function Form({ name })
{
	const [busy, setBusy] = useState(false);
	const [trouble, setTrouble] = useState(null);
	const form = useRef(null);
	const id = useId();
	const described = trouble ? id : undefined;

	/* After the heading, which takes the focus on every other page. */
	useEffect(() => form.current.elements[name ? "password" : "name"].focus(), []);

	async function submit(event)
	{
		event.preventDefault();

		const { name: typed, password } = form.current.elements;
		const mistake = mistakeOf(typed.value);

		if (mistake) {
			setTrouble(mistake);
			typed.select();
			typed.focus();
			return;
		}
		setBusy(true);
		setTrouble(null);
		try {
			await signIn(typed.value.trim(), password.value);
		} catch (error) {
			setTrouble(error);
			setBusy(false);
			password.select();
			password.focus();
		}
	}

	return html`
		<form ref=${form} class="stack" onSubmit=${submit} autocomplete="on">
			<label class="field">Name
				<input name="name" autocomplete="username" autocapitalize="none"
					spellcheck=${false}
					required maxlength="64" defaultValue=${name} autofocus=${!name}
					aria-describedby=${described} aria-invalid=${wrong(trouble, "name")} />
			</label>
			<label class="field">Password
				<input name="password" type="password" autocomplete="current-password" required
					maxlength="256" autofocus=${Boolean(name)}
					aria-describedby=${described} aria-invalid=${wrong(trouble, "password")} />
			</label>
			<div role="alert" id=${id}>
				${trouble && html`<div class="box bad slim"><div><p>${trouble.message}</p>
					<${ForAdministrators} error=${trouble} /></div></div>`}
			</div>
			<button type="submit" class="primary wide" disabled=${busy}>
				${busy ? "Signing in …" : "Sign in"}
			</button>
		</form>`;
}

export function SignInPage()
{
	useTitle("Sign in");
	return html`
		<main class="door">
			<div class="card">
				<p class="brand big"><${Logo} />Stead</p>
				<${Heading}>Sign in<//>
				<p class="quiet">Stead signs in to your sites once and then acts in
					your stead.</p>
				<${Form} name="" />
			</div>
		</main>`;
}

/* What the page was about to do is repeated afterwards, so nothing that was typed there is lost. */
export function SignInDialog()
{
	const { field, message } = askingAgain.value;
	const other = field === "Stead-Account";

	return html`
		<${Dialog} title="Sign in again">
			<p>${other ? message : `Your sign-in to Stead has ended. What you were doing goes on as soon as
				you are back.`}</p>
			<${Form} name=${account.value.name} />
			${other && html`<p class="row"><button type="button" onClick=${() => location.assign("/")}>Leave this page to
				them</button></p>`}
		<//>`;
}
