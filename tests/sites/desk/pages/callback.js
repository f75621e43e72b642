if (window.opener) {
	window.opener.postMessage('signed in', location.origin);
	window.close();
}
