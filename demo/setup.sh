#!/bin/sh
# Installs what is missing: Debian's packages (as root), then npm's. Silent and offline when nothing is.
#
#	demo/setup.sh demo|test|bare [TREE]
#
# TREE is where node_modules belongs, by default the tree this script is in.
set -eu

kind=${1:?usage: demo/setup.sh demo|test|bare [TREE]}
here=$(cd "$(dirname "$0")/.." && pwd)
tree=${2:-$here}

wanted_kinds() {
	case $kind in
	demo) echo demo ;;
	test) echo 'demo|test' ;;
	bare) echo 'demo|test|bare' ;;
	*) echo "demo/setup.sh: it is demo, test or bare, not \"$kind\"" >&2; exit 64 ;;
	esac
}

missing_packages() {
	kinds=$(wanted_kinds)
	installed=$(dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' | sed -n 's/^installed //p' | sed 's/:.*//')
	grep -v '^#' "$here/demo/packages.txt" | while read -r package when command _; do
		echo "$when" | grep -Eqx "$kinds" || continue
		echo "$installed" | grep -qxF "$package" && continue
		if [ "$command" != - ] && PATH=$PATH:/usr/sbin:/sbin command -v "$command" > /dev/null; then
			continue
		fi
		printf '%s ' "$package"
	done
}

# Debian starts a service, and makes a database cluster, when their package is installed. The demo brings its own.
install_quietly() {
	log=$(mktemp)
	policy=/usr/sbin/policy-rc.d
	if [ -e $policy ]; then
		policy=
	else
		printf '#!/bin/sh\nexit 101\n' > $policy
		chmod 755 $policy
	fi
	trap 'if [ -n "$policy" ]; then rm -f "$policy"; fi' EXIT
	trap 'exit 130' INT TERM HUP
	export DEBIAN_FRONTEND=noninteractive
	if { apt-get update -q && apt-get install -q -y --no-install-recommends "$@"; } > "$log" 2>&1; then
		rm -f "$log"
	else
		tail -n 20 "$log" >&2
		echo "apt-get could not install: $*" >&2
		echo "The lines above are the end of $log. Once \"apt-get install $*\" works, start this again." >&2
		exit 1
	fi
	if [ -n "$policy" ]; then rm -f "$policy"; fi
	trap - EXIT INT TERM HUP
}

debian_packages() {
	missing=$(missing_packages)
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "These Debian packages are missing: $missing" >&2
		echo "Install them, then start this again:" >&2
		echo "	sudo apt-get install --no-install-recommends $missing" >&2
		exit 1
	fi
	start=$(date +%s)
	# shellcheck disable=SC2086 # one word for each package
	set -- $missing
	echo "Installing $# packages of Debian, which takes a minute or two: $*"
	install_quietly "$@"
	echo "Installed in $(($(date +%s) - start)) s."
}

node_modules() {
	cmp -s "$tree/package-lock.json" "$tree/node_modules/.installed-lock" && return 0
	major=$(node -p 'parseInt(process.versions.node)')
	if [ "$major" -lt 18 ]; then
		echo "Node $(node --version) is too old: 18 or later is needed, such as Debian 12's package nodejs." >&2
		exit 1
	fi
	echo "Installing what package-lock.json names, with npm."
	log=$(mktemp)
	if ! (cd "$tree" && umask 022 && npm ci --ignore-scripts --no-fund --no-audit --loglevel=error) > "$log" 2>&1; then
		cat "$log" >&2
		echo "npm could not install the packages. Once \"npm ci\" works in $tree, start this again." >&2
		exit 1
	fi
	rm -f "$log"
	cp "$tree/package-lock.json" "$tree/node_modules/.installed-lock"
}

debian_packages
node_modules
