$(eval $(call library,authd))
$(eval $(call program,authd,authd/main.c,authd db proto common,-lpq -ljansson -largon2 -lzxcvbn -levent -lcrypto -lpthread))
