#include "streamd/browser/net_error.h"

#include <stddef.h>
#include <string.h>

#define CLIENT_CERTIFICATE "the host wants a client certificate, which this browser does not have"
#define CREDENTIALS        "the host asks for a name and a password (HTTP authentication)"

/* A name stands for every error that begins with it; the first that fits counts. */
static const struct {
	const char *name, *words;
	bool outage; /* the site's or the network's, so that it may pass by itself */
} errors[] = {
	{ "net::ERR_NAME_", "there is no such host", true },
	{ "net::ERR_TUNNEL_CONNECTION_FAILED",
		"the host cannot be reached, or the site's recipe does not allow it", true },
	{ "net::ERR_PROXY_", "the host cannot be reached, or the site's recipe does not allow it", true },
	{ "net::ERR_CONNECTION_TIMED_OUT", "the host does not answer", true },
	{ "net::ERR_TIMED_OUT", "the host does not answer", true },
	{ "net::ERR_CONNECTION_", "the host refused or broke the connection", true },
	{ "net::ERR_EMPTY_RESPONSE", "the host sent nothing", true },
	{ "net::ERR_INTERNET_DISCONNECTED", "the browser's network is cut", true },
	{ "net::ERR_NETWORK_CHANGED", "the network changed meanwhile", true },
	{ "net::ERR_ADDRESS_", "the host cannot be reached", true },
	{ "net::ERR_CERT_", "the host's certificate is not trusted", false },
	{ "net::ERR_SSL_CLIENT_AUTH_", CLIENT_CERTIFICATE, false },
	{ "net::ERR_BAD_SSL_CLIENT_AUTH_CERT", CLIENT_CERTIFICATE, false },
	{ "net::ERR_SSL_", "no secure connection to the host can be made", true },
	{ "net::ERR_TOO_MANY_REDIRECTS", "it leads round in a circle", false },
	{ "net::ERR_BLOCKED_BY_", "the browser may not open such an address", false },
	{ "net::ERR_ABORTED", "it is a download, or the page went elsewhere or ended in the browser meanwhile", false },
	{ "net::ERR_INVALID_AUTH_CREDENTIALS", CREDENTIALS, false },
	{ "net::ERR_MISSING_AUTH_CREDENTIALS", CREDENTIALS, false },
	{ "net::ERR_INVALID_", "what the host sent is not valid", false },
	{ "net::ERR_HTTP2_", "what the host sent is not valid", true },
	{ "net::ERR_HTTP_RESPONSE_CODE_FAILURE", "it answers with an error and without a page", false },
	{ "net::ERR_UNSAFE_PORT", "the browser may not use that port", false },
	{ "", "the browser could not load it", false },
};

static size_t find_error(const char *error)
{
	size_t i = 0;

	while (strncmp(error ?: "", errors[i].name, strlen(errors[i].name)) != 0)
		i++;
	return i;
}

const char *net_error_words(const char *error)
{
	return errors[find_error(error)].words;
}

bool net_error_is_outage(const char *error)
{
	return errors[find_error(error)].outage;
}

bool net_error_wants_credentials(const char *error)
{
	return strcmp(net_error_words(error), CREDENTIALS) == 0;
}

bool net_error_wants_certificate(const char *error)
{
	return strcmp(net_error_words(error), CLIENT_CERTIFICATE) == 0;
}

bool net_error_is_broken_off(const char *error)
{
	return strcmp(error, "net::ERR_ABORTED") == 0;
}
