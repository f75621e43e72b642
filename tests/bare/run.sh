#!/bin/sh
# "make demo TOUR=only" in a bare Debian 12: debootstrap's minimum with git, make and ca-certificates, and nothing that
# this machine has. Needs root. What is committed is what is tried, as a newcomer would clone it.
#
#	tests/bare/run.sh [COMMAND]		by default: make demo TOUR=only; as root, who installs, then as another user
#
# The bare system is made once, in /var/cache/stead-bare, and used through an overlay in memory; delete it to have it made
# anew. How this machine reaches Debian's and npm's registries (apt's and npm's settings, certificates) is copied in.
set -eu

base=/var/cache/stead-bare
here=$(cd "$(dirname "$0")/../.." && pwd)
command=${1:-make demo TOUR=only}

if [ "$(id -u)" -ne 0 ]; then
	echo "make test-bare makes a Debian and runs it in a container: it needs root." >&2
	exit 1
fi
if [ "${2:-}" != inside ]; then
	exec unshare --mount --propagation private "$0" "$command" inside
fi

# The mirror of this system's own sources.
mirror() {
	apt-get indextargets --format '$(CODENAME) $(REPO_URI)' | sed -n 's/^bookworm //p' | head -n 1
}

make_base() {
	[ ! -e $base/etc/debian_version ] || return 0
	echo "Making a bare Debian in $base, once."
	rm -rf $base $base.new
	from=$(mirror)
	[ -n "$from" ] || { echo "This system's apt knows no mirror of Debian 12 (bookworm); run \"apt-get update\" first." >&2; exit 1; }
	debootstrap --variant=minbase --include=git,make,ca-certificates bookworm $base.new "$from" \
		> $base.log 2>&1 || { tail -n 20 $base.log >&2; exit 1; }
	mv $base.new $base
}

copy_settings() {
	apt-get indextargets --format 'deb $(REPO_URI) $(CODENAME) main' | grep ' bookworm' | sort -u > "$root/etc/apt/sources.list"
	for part in /etc/apt/apt.conf /etc/apt/apt.conf.d /etc/apt/auth.conf.d /usr/local/share/ca-certificates; do
		[ ! -e $part ] || { mkdir -p "$root$(dirname $part)" && cp -R $part "$root$(dirname $part)/"; }
	done
	rm -f "$root"/etc/apt/apt.conf.d/docker* # they forbid what a usual system keeps
	{
		[ ! -e "$HOME/.npmrc" ] || cat "$HOME/.npmrc"
		echo "registry=$(npm config get registry 2> /dev/null)"
		echo 'cafile=/etc/ssl/certs/ca-certificates.crt'
	} > "$root/root/.npmrc"
}

make_base
dir=$(mktemp -d /tmp/stead-bare-XXXXXX)
trap 'umount -R "$dir"; rmdir "$dir"' EXIT
mount -t tmpfs -o size=6G stead-bare "$dir"
mkdir "$dir/upper" "$dir/work" "$dir/root"
root=$dir/root
mount -t overlay -o "lowerdir=$base,upperdir=$dir/upper,workdir=$dir/work" stead-bare "$root"
copy_settings
git -c safe.directory="$here" clone -q --bare --no-hardlinks "$here" "$dir/stead.git"

# What a newcomer does, whoever that is.
cat > "$root/usr/local/bin/try" <<END
#!/bin/sh
set -eu
cd
git clone -q /stead.git stead
cd stead
$command
END
chmod 755 "$root/usr/local/bin/try"

# Without that capability systemd-nspawn forbids everybody to lock memory; 8 MiB is what Debian allows a user.
systemd-nspawn --quiet --directory="$root" --register=no --keep-unit --as-pid2 --pipe --resolv-conf=copy-host \
	--capability=CAP_IPC_LOCK --rlimit=RLIMIT_MEMLOCK=8M \
	--bind-ro="$dir/stead.git:/stead.git" --setenv=HOME=/root --setenv=DEBIAN_FRONTEND=noninteractive \
	/bin/sh -euc 'update-ca-certificates > /dev/null 2>&1
		git config --system --add safe.directory /stead.git
		try
		echo "Once more, as somebody who is not root."
		useradd --create-home newcomer
		install -o newcomer /root/.npmrc /home/newcomer/
		exec setpriv --reuid=newcomer --regid=newcomer --init-groups env HOME=/home/newcomer try'
echo "In a bare Debian 12, \"$command\" ended well, as root and as somebody else."
