#!/bin/sh
# Boots a throw-away copy of this machine with Stead installed in it: an overlay on /, in memory, in a mount namespace of
# its own, so that nothing is left of it when this ends. Called by guest.mjs; root only.
#
#	tests/system/boot.sh TREE DIRECTORY
#
# All of it is below DIRECTORY; DIRECTORY/signal/ready appears when everything has been started. The guest has no network
# but its own loopback.
set -eu

if [ "${3:-}" != inside ]; then
	exec unshare --mount --propagation private "$0" "$1" "$2" inside
fi
tree=$1 signal=$2/signal dir=$2/system root=$2/system/root
mkdir -p "$signal" "$dir"
mount -t tmpfs -o mode=0755,size=2G stead-test "$dir"
mkdir "$dir/upper" "$dir/work" "$root"
mount -t overlay -o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work" stead-test "$root"

: > "$root/etc/machine-id"
# What this machine starts by itself is none of the test's business.
rm -rf "$root/etc/systemd/system" "$root/etc/nginx/sites-enabled" "$root/etc/nginx/conf.d" "$root/etc/postgresql"
mkdir -p "$root/etc/systemd/system" "$root/etc/nginx/conf.d"
for place in tmp run var/tmp; do
	mount -t tmpfs -o mode=1777 stead-test "$root/$place"
done
for unit in systemd-resolved systemd-timesyncd systemd-networkd systemd-logind; do
	ln -s /dev/null "$root/etc/systemd/system/$unit.service"
done

make -s -C "$tree" install "DESTDIR=$root"
systemd-sysusers --root="$root" stead.conf
systemd-tmpfiles --root="$root" --create stead.conf
cp -R "$tree/tests/system/etc/." "$root/etc/"
install -d -m 0700 "$root/etc/stead/credentials"
(
	umask 077
	printf '1:%s\n' "$(openssl rand -base64 32)" > "$root/etc/stead/credentials/master-key"
	printf 'admin\n' > "$root/etc/stead/credentials/admin-user"
	printf 'velvet-anchor-piano-93\n' > "$root/etc/stead/credentials/admin-pass"
)
echo 'origin = https://stead.example.org' >> "$root/etc/stead/stead.conf"

# nginx as docs/install.md has it, with a certificate of its own.
install -m 0644 "$root/usr/share/doc/stead/nginx-stead.conf" "$root/etc/nginx/conf.d/stead.conf"
install -d "$root/etc/ssl/stead"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=stead.example.org \
	-addext subjectAltName=DNS:stead.example.org -keyout "$root/etc/ssl/stead/privkey.pem" \
	-out "$root/etc/ssl/stead/fullchain.pem" 2> /dev/null

# systemd-nspawn forbids locking memory to those without these, whatever the unit says.
exec systemd-nspawn --quiet --directory="$root" --register=no --keep-unit --private-network --boot \
	--bind="$signal:/signal" --capability=CAP_IPC_LOCK,CAP_SYS_RESOURCE \
	--rlimit=RLIMIT_MEMLOCK=1G --console=read-only -- --unit=stead-test.target
