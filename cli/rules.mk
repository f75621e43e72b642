$(eval $(call library,cli))
$(eval $(call program,steadctl,cli/main.c,cli proto common,-ljansson -levent -lcrypto))

# It runs the program itself.
$(B)/tests/test_cli: $(B)/bin/steadctl
