$(eval $(call library,db))
ifneq ($(wildcard db/migrate_main.c),)
$(eval $(call program,stead-migrate,db/migrate_main.c,db common,-lpq -levent -lcrypto))
endif
