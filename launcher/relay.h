/*
 * Bytes between two sockets, both ways, with bounded buffers: who reads slowly slows the other
 * down.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct relay;

/*
 * Takes over both sockets (non-blocking). n bytes at p go to the server first; of what the client
 * sends, only client_most more are let through (UINT64_MAX: all), and anything beyond ends it. Ends
 * by itself when both sides have said all, either breaks, or nothing has moved for ten minutes:
 * then ended(arg) is called, once, and the relay is gone.
 */
struct relay *relay_new(int client, int server, const void *p, size_t n, uint64_t client_most,
	void (*ended)(void *arg), void *arg);

/* Cuts both connections at once; ended() is not called. Takes NULL, returns NULL. */
struct relay *relay_free(struct relay *r);

/* heard(arg, end), with ended()'s arg: the server has sent something, or its end has come; before that is passed on. */
void relay_on_heard(struct relay *r, void (*heard)(void *arg, bool end));

/* Whatever the client says from now on ends it, unheard by the server; what is on its way to the client still comes. */
void relay_mute(struct relay *r);

/* When a byte last moved; monotonic ms. */
int64_t relay_moved(const struct relay *r);

/* Sends "200" to the client first: for a CONNECT. Call it before the loop turns. */
void relay_say_connected(struct relay *r);
