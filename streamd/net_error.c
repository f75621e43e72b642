#include "streamd/net_error.h"

#include <stddef.h>
#include <string.h>

/* A name stands for every error that begins with it; the first that fits counts. */
static const struct {
	const char *name, *words;
} errors[] = {
	{ "net::ERR_NAME_", "there is no such host" },
	{ "net::ERR_TUNNEL_CONNECTION_FAILED",
		"the host cannot be reached, or the site's recipe does not allow it" },
	{ "net::ERR_PROXY_", "the host cannot be reached, or the site's recipe does not allow it" },
	{ "net::ERR_CONNECTION_TIMED_OUT", "the host does not answer" },
	{ "net::ERR_TIMED_OUT", "the host does not answer" },
	{ "net::ERR_CONNECTION_", "the host refused or broke the connection" },
	{ "net::ERR_EMPTY_RESPONSE", "the host sent nothing" },
	{ "net::ERR_INTERNET_DISCONNECTED", "the browser's network is cut" },
	{ "net::ERR_NETWORK_CHANGED", "the network changed meanwhile" },
	{ "net::ERR_ADDRESS_", "the host cannot be reached" },
	{ "net::ERR_CERT_", "the host's certificate is not trusted" },
	{ "net::ERR_SSL_", "no secure connection to the host can be made" },
	{ "net::ERR_TOO_MANY_REDIRECTS", "it leads round in a circle" },
	{ "net::ERR_BLOCKED_BY_", "the browser may not open such an address" },
	{ "net::ERR_ABORTED", "it is a download, or the page went elsewhere meanwhile" },
	{ "net::ERR_INVALID_", "what the host sent is not valid" },
	{ "net::ERR_HTTP2_", "what the host sent is not valid" },
	{ "net::ERR_UNSAFE_PORT", "the browser may not use that port" },
};

const char *net_error_words(const char *error)
{
	for (size_t i = 0; error && i < sizeof(errors) / sizeof(*errors); i++)
		if (strncmp(error, errors[i].name, strlen(errors[i].name)) == 0)
			return errors[i].words;
	return "the browser could not load it";
}
