$(eval $(call library,streamd))
$(eval $(call program,streamd,streamd/main.c,streamd recipe state proto common,-lwebsockets -ljansson -levent -lcrypto -lz))
$(B)/streamd/browser/pages.o: $(wildcard streamd/browser/pages/*.js)
