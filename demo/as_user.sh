#!/bin/sh
# Installs what is missing, then runs a command in the tree as somebody who is not root: Chromium's sandbox and
# PostgreSQL refuse root.
#
#	demo/as_user.sh demo|test COMMAND [ARGUMENT]...
#	demo/as_user.sh ready COMMAND [ARGUMENT]...	what came before has installed and copied everything
#	demo/as_user.sh apart COMMAND [ARGUMENT]...	the same, with a /tmp of its own that goes with it
#
# Started by root, it works as the user stead-demo, whom it makes, in a copy of the tree that this user can read and
# build in. Started by anybody else, it works in the tree itself.
#
#	demo/as_user.sh --where		prints the tree that commands run in
set -eu

user=stead-demo
here=$(cd "$(dirname "$0")/.." && pwd)

copy_of_tree() {
	echo "/var/lib/$user/$(basename "$here")-$(echo "$here" | cksum | cut -d ' ' -f 1)"
}

make_user() {
	id -u $user > /dev/null 2>&1 && return 0
	useradd --system --user-group --home-dir /var/lib/$user --create-home --shell /usr/sbin/nologin \
		--comment 'demo and tests of Stead' $user
}

# Everything that belongs to the source, by name; from a release without .git, everything but what was built.
list_files() {
	if [ -e .git ] && command -v git > /dev/null; then
		git -c safe.directory="$here" ls-files -z --cached --others --exclude-standard --deduplicate
	else
		find . \( -path ./build -o -path ./node_modules -o -path ./.git \) -prune -o -type f -printf '%P\0'
	fi
}

# Times are kept, so that make builds only what has changed; what is gone here goes there too.
copy_tree() {
	mkdir -p "$tree"
	(cd "$here" && list_files | tr '\0' '\n' | sort | while IFS= read -r f; do
		if [ -e "$f" ]; then echo "$f"; fi
	done) > "$tree/.files.new"
	if [ -e "$tree/.files" ]; then
		comm -23 "$tree/.files" "$tree/.files.new" | (cd "$tree" && xargs -r -d '\n' rm -f --)
	fi
	tar -C "$here" -cf - --no-recursion --mode=a+rX,u+w -T "$tree/.files.new" |
		tar -C "$tree" -xf - --no-same-owner
	mv "$tree/.files.new" "$tree/.files"
	install -d -o $user -g $user "$tree/build"
	chown -R $user:$user "$tree/build"
}

if [ "$(id -u)" -ne 0 ]; then
	if [ "$1" = --where ]; then
		echo "$here"
		exit
	fi
	[ "$1" = ready ] || [ "$1" = apart ] || "$here/demo/setup.sh" "$1"
	shift
	cd "$here"
	exec "$@"
fi

tree=$(copy_of_tree)
if [ "$1" = --where ]; then
	echo "$tree"
	exit
fi
kind=$1
shift
umask 022
if [ "$kind" != ready ] && [ "$kind" != apart ]; then
	make_user
	copy_tree
	"$here/demo/setup.sh" "$kind" "$tree"
fi
cd "$tree"
# The signal: whatever happens to this process's parent, nothing of this is left behind.
set -- setpriv --reuid=$user --regid=$user --init-groups --pdeathsig=TERM \
	env -u XDG_RUNTIME_DIR -u TMPDIR HOME=/var/lib/$user USER=$user LOGNAME=$user "$@"
# Of many that run at once, each has a /tmp of its own, in memory: profiles lie in memory in service, too (RuntimeDirectory), and
# what makes and deletes some hundred thousand small files keeps no disk's file system busy, nor leaves any there.
if [ "$kind" = apart ] && unshare --mount true 2> /dev/null; then
	# shellcheck disable=SC2016 # the inner shell's own
	set -- unshare --mount sh -c 'mount -t tmpfs -o mode=1777 stead /tmp || true; exec "$@"' sh "$@"
fi
exec "$@"
