#include "http/failure.h"

#include <errno.h>
#include <string.h>

#include "common/words.h"

static const struct failure_row {
	CURLcode code;
	int error;
	const char *words; /* after the host's name */
} rows[] = {
	{ CURLE_OK, 0, NULL },
	{ CURLE_COULDNT_CONNECT, -EHOSTUNREACH, "could not be reached" },
	{ CURLE_OPERATION_TIMEDOUT, -EHOSTUNREACH, "could not be reached in time" },
	{ CURLE_SSL_CONNECT_ERROR, -EHOSTUNREACH, "made no secure connection" },
	{ CURLE_SSL_CACERT_BADFILE, -EHOSTUNREACH, "could not be asked, for this machine has no list of certificate authorities "
		"(an administrator can install the package ca-certificates)" },
	{ CURLE_PEER_FAILED_VERIFICATION, -EKEYREJECTED, "has a certificate that is not trusted" },
	{ CURLE_GOT_NOTHING, -ECONNRESET, "ended the connection without an answer" },
	{ CURLE_SEND_ERROR, -ECONNRESET, "ended the connection before the request was through" },
	{ CURLE_SEND_FAIL_REWIND, -ECONNRESET, "wanted the request a second time, and does not get it" },
	{ CURLE_RECV_ERROR, -ECONNRESET, "ended the connection in the middle of its answer" },
	{ CURLE_PARTIAL_FILE, -ECONNRESET, "ended its answer in the middle" },
	{ CURLE_HTTP2, -ECONNRESET, "ended the connection in the middle" },
	{ CURLE_HTTP2_STREAM, -ECONNRESET, "ended the connection in the middle" },
	{ CURLE_BAD_CONTENT_ENCODING, -EPROTO, "answered with a body that cannot be unpacked" },
	{ CURLE_WRITE_ERROR, -EFBIG, "answered with more than is taken" },
};

static const struct failure_row *failure_find(CURLcode code)
{
	static const struct failure_row other = { .error = -EPROTO, .words = "answered with what is not HTTP" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].code == code)
			return &rows[i];
	return &other;
}

/* libcurl takes a head that ends in the middle for one that is whole. */
static const struct failure_row *failure_row_of(const struct transfer *t)
{
	return failure_find(t->result == CURLE_OK && !t->headed ? CURLE_RECV_ERROR : t->result);
}

int failure_of(const struct transfer *t)
{
	return failure_row_of(t)->error;
}

/* What libcurl or the system say of it, where that says more. */
static const char *failure_more(const struct transfer *t)
{
	long error = 0;

	if (t->result == CURLE_PEER_FAILED_VERIFICATION)
		return t->distrust;
	curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &error);
	return t->result == CURLE_COULDNT_CONNECT && error ? strerror((int)error) : NULL;
}

void failure_say(const struct transfer *t, int error, char why[HTTP_WHY])
{
	const char *host = t->place.host.name, *more;

	*why = '\0';
	if (error == -ETIMEDOUT)
		words_set(why, HTTP_WHY, "%s did not answer in time.", host);
	else if (!t->done)
		words_set(why, HTTP_WHY, "The request to %s was broken off.", host);
	else if ((more = failure_more(t)))
		words_set(why, HTTP_WHY, "%s %s: %s.", host, failure_row_of(t)->words, more);
	else
		words_set(why, HTTP_WHY, "%s %s.", host, failure_row_of(t)->words);
}
