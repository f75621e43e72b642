$(eval $(call library,botd))
$(eval $(call program,botd,botd/main.c,botd recipe proto db common,-lpq -ljansson -levent -lcrypto -lz))
