/* Listening Unix sockets: made safely, or handed over by the service manager. */
#pragma once

/*
 * Makes directory (its parent must exist) if need be and a listening socket path in it, mode 0660. An old socket of
 * ours is replaced. -EPERM when the directory or what stands at path is not ours or others may write there;
 * -ENAMETOOLONG; other errno of the system calls. The descriptor is close-on-exec and non-blocking.
 */
int listen_at(const char *directory, const char *path);

/* The listening descriptor that the service manager passed under name (sd_listen_fds_with_names(3)), or -ENOENT. */
int listen_inherited(const char *name);
