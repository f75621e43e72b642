// The sign-in goes on in this window, or in a popup that says when it is done and closes itself.
document.getElementById('sso').addEventListener('click', ({ target }) => {
	if (target.dataset.popup === 'yes')
		window.open('/sso/start?popup', 'sso', 'popup,width=480,height=640');
	else
		location.assign('/sso/start');
});

addEventListener('message', ({ origin, data }) => {
	if (origin === location.origin && data === 'signed in')
		location.assign('/finder');
});
