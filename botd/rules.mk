$(eval $(call library,botd))
$(eval $(call program,botd,botd/main.c,botd http state recipe proto db common,-lcurl -lpsl -lssl -lpq -ljansson -levent -lcrypto -lz))
