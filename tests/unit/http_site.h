/*
 * A site for tests of what Stead asks by itself: on a thread, one connection after another, each answered as the script says, byte
 * for byte. What came is counted on the wire: whole requests, and heads whose body was not whole when the connection ended.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#define SITE_VISITS 16 /* connections that a site takes */

/* How a connection is answered once a request is whole; in a page of its own for each connection, the last for all further ones. */
struct site_answer {
	const char *bytes; /* NULL: nothing */
	size_t size;       /* 0: strlen() */
	bool reset;        /* then the connection is reset, rather than closed */
	bool keep;         /* or more requests are answered alike */
	bool early;        /* answered when the head is there, whatever is lacking of the body */
	bool silent;       /* nothing more until the other side has ended it */
};

struct site {
	pthread_t thread;
	int fd;
	uint16_t port;
	SSL_CTX *tls; /* NULL: plain */
	const struct site_answer *answers;
	_Atomic int connections, whole, partial;
	char last[8192]; /* the last whole request */
};

struct site_line {
	int fd;
	SSL *ssl;
};

static inline ssize_t site_read(struct site_line *l, char *p, size_t n)
{
	return l->ssl ? SSL_read(l->ssl, p, (int)n) : read(l->fd, p, n);
}

static inline void site_write(struct site_line *l, const char *p, size_t n)
{
	if (l->ssl)
		SSL_write(l->ssl, p, (int)n);
	else if (send(l->fd, p, n, MSG_NOSIGNAL) < 0)
		return;
}

/* Bytes of the request at text; 0: it is not whole yet. */
static inline size_t site_request(const char *text, bool head_alone)
{
	const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "\r\ncontent-length: ");
	size_t n = length && end && length < end ? strtoul(length + 18, NULL, 10) : 0;

	if (!end)
		return 0;
	n = (size_t)(end + 4 - text) + (head_alone ? 0 : n);
	return strlen(text) >= n ? n : 0;
}

static inline void site_serve(struct site *s, struct site_line *l, const struct site_answer *a)
{
	char text[8192] = "";
	size_t n = 0, whole;
	ssize_t some;

	while ((some = site_read(l, text + n, sizeof(text) - 1 - n)) > 0) {
		n += (size_t)some;
		text[n] = '\0';
		whole = site_request(text, a->early);
		if (!whole)
			continue;
		if (site_request(text, false)) {
			strcpy(s->last, text);
			s->whole++;
		}
		if (a->bytes)
			site_write(l, a->bytes, a->size ? a->size : strlen(a->bytes));
		if (!a->keep && !a->silent)
			break;
		memmove(text, text + whole, n - whole + 1);
		n -= whole;
	}
	if (n && !site_request(text, false))
		s->partial++;
}

struct site_visit {
	struct site *site;
	const struct site_answer *answer;
	pthread_t thread;
	int fd;
};

static inline void *site_visit(void *arg)
{
	struct site_visit *v = arg;
	struct site_line l = { .fd = v->fd };

	if (v->site->tls) {
		l.ssl = SSL_new(v->site->tls);
		SSL_set_fd(l.ssl, v->fd);
	}
	if (!l.ssl || SSL_accept(l.ssl) == 1)
		site_serve(v->site, &l, v->answer);
	if (l.ssl && !v->answer->reset)
		SSL_shutdown(l.ssl);
	SSL_free(l.ssl);
	if (v->answer->reset)
		setsockopt(v->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
	close(v->fd);
	return NULL;
}

/* Its visits are waited for: whoever asks has ended them by then. */
static inline void *site_run(void *arg)
{
	struct site_visit visits[SITE_VISITS];
	struct site *s = arg;
	size_t n = 0;
	int fd;

	while (n < SITE_VISITS && (fd = accept(s->fd, NULL, NULL)) >= 0) {
		const struct site_answer *a = s->answers;

		if (a[1].bytes || a[1].reset || a[1].silent)
			s->answers++;
		visits[n] = (struct site_visit){ .site = s, .answer = a, .fd = fd };
		s->connections++; /* before whoever asks can have an answer */
		if (pthread_create(&visits[n].thread, NULL, site_visit, &visits[n]) != 0)
			abort();
		n++;
	}
	while (n > 0)
		pthread_join(visits[--n].thread, NULL);
	return NULL;
}

/* answers ends with one that is all zero; it must outlive the site. */
static inline void site_start(struct site *s, const struct site_answer *answers, SSL_CTX *tls)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(sa);

	*s = (struct site){ .answers = answers, .tls = tls };
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(s->fd, 16), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&sa, &n), 0);
	s->port = ntohs(sa.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, site_run, s), 0);
}

static inline void site_stop(struct site *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

/* A certificate of its own for name, which nobody has signed; key: base64 SHA-256 of its public key (45 bytes). */
static inline SSL_CTX *site_tls(const char *name, char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	unsigned char *der = NULL, digest[SHA256_DIGEST_LENGTH];
	int n;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, pkey);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_sign(x, pkey, EVP_sha256());
	SSL_CTX_use_certificate(ctx, x);
	SSL_CTX_use_PrivateKey(ctx, pkey);
	n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	SHA256(der, (size_t)n, digest);
	EVP_EncodeBlock((unsigned char *)key, digest, sizeof(digest));
	OPENSSL_free(der);
	X509_free(x);
	EVP_PKEY_free(pkey);
	return ctx;
}
