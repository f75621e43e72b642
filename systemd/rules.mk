# Where "make install" puts things. DESTDIR= for packages and tests; the paths themselves are in the units. Whose the
# settings are, and that others do not read them, is said in stead.tmpfiles; until then they are root's alone.
LIBEXEC := $(DESTDIR)/usr/lib/stead
BIN     := $(DESTDIR)/usr/bin
SHARE   := $(DESTDIR)/usr/share/stead
DOC     := $(DESTDIR)/usr/share/doc/stead
ETC     := $(DESTDIR)/etc/stead
UNITS   := $(DESTDIR)/usr/lib/systemd/system
DAEMONS := authd streamd sessiond botd
SCHEMAS := authd sessiond botd

#: make install     into DESTDIR=, as docs/install.md describes; settings that are there are kept
install: programs web
	install -d $(LIBEXEC) $(BIN) $(SHARE)/sites $(SHARE)/chromium-policies $(DOC) $(ETC)/sites $(UNITS) $(DESTDIR)/usr/lib/sysusers.d \
		$(DESTDIR)/usr/lib/tmpfiles.d $(DESTDIR)/etc/nginx/stead $(DESTDIR)/usr/share/bash-completion/completions
	install -d -m 0700 $(ETC)/credentials
	install $(addprefix $(B)/bin/,$(DAEMONS) stead-launcher) $(LIBEXEC)
	install $(addprefix $(B)/bin/,steadctl stead-migrate stead-recipe) $(BIN)
	for s in $(SCHEMAS); do install -d $(SHARE)/schema/$$s && install -m 0644 $$s/schema/*.sql $(SHARE)/schema/$$s || exit 1; done
	install -m 0644 db/roles.sql systemd/pg_ident.conf $(SHARE)
	install -m 0644 sites/*.json $(SHARE)/sites
	install -m 0644 systemd/chromium-policy.json $(SHARE)/chromium-policies/stead.json
	rm -rf $(SHARE)/web && cp -R build/web $(SHARE)/web && chmod -R a+rX $(SHARE)/web
	install -m 0644 web/nginx/http.conf web/nginx/headers.conf web/nginx/locations.conf $(DESTDIR)/etc/nginx/stead
	install -m 0644 web/nginx/stead.conf $(DOC)/nginx-stead.conf
	install -m 0644 docs/*.md docs/recipe.schema.json $(DOC)
	sed -i 's/\[\([^]]*\)\](\.\.\/[^)]*)/\1/g' $(DOC)/*.md # links into the source, which is not there
	install -m 0644 systemd/*.service systemd/*.socket systemd/*.slice systemd/*.target systemd/*.timer $(UNITS)
	install -m 0644 systemd/stead.sysusers $(DESTDIR)/usr/lib/sysusers.d/stead.conf
	install -m 0644 systemd/stead.tmpfiles $(DESTDIR)/usr/lib/tmpfiles.d/stead.conf
	$(B)/bin/steadctl completion | install -m 0644 /dev/stdin $(DESTDIR)/usr/share/bash-completion/completions/steadctl
	[ -e $(ETC)/stead.conf ] || install -m 0644 systemd/stead.conf $(ETC)/stead.conf
	umask 077; for d in $(DAEMONS); do \
		[ -e $(ETC)/$$d.conf ] || $(B)/bin/$$d --print-settings > $(ETC)/$$d.conf || exit 1; done

.PHONY: install
