set -eu
data=$STATE_DIRECTORY/data
[ ! -e "$data" ] || exit 0
/usr/lib/postgresql/15/bin/initdb --no-sync --auth=peer --username=postgres --encoding=UTF8 --locale=C.UTF-8 -D "$data" > /dev/null
echo 'local all all peer map=stead' > "$data/pg_hba.conf"
cp /usr/share/stead/pg_ident.conf "$data/pg_ident.conf"
