$(eval $(call library,sessiond))
$(eval $(call program,sessiond,sessiond/main.c,sessiond proto db common,-lpq -ljansson -levent -lcrypto -lz))
