/* What streamd has authd write down. */
#pragma once

struct call;
struct login;
struct streamd;

/* steadctl is about to do that: for server_on_act(). Refused when authd cannot write it down; then nothing is done. */
int streamd_audit_act(struct call *call, const char *what);

/* Somebody wanted what is another's and was refused; told in the background, and only in the log while authd is away. */
void streamd_audit_forbidden(struct streamd *d, const struct login *login, const char *what);

/* In a fiber: waits until all of that has been told, or given up. */
void streamd_audit_drain(struct streamd *d);
