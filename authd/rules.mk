$(eval $(call library,authd))
$(eval $(call program,authd,authd/main.c,authd db proto common,-lpq -ljansson -largon2 -levent -lcrypto -lpthread))

# It becomes part of the object by .incbin, which the compiler's list of headers does not show.
$(B)/authd/blocklist.o: authd/blocklist.txt
