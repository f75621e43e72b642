$(eval $(call library,launcher))
$(eval $(call program,stead-launcher,launcher/main.c,launcher proto common,-ljansson -levent -lcrypto))

# These link the launcher's library beside proto and common alone.
LAUNCHER_TESTS := $(patsubst %,$(B)/tests/test_%,command oom proxy_request relay room)
$(LAUNCHER_TESTS): $(B)/tests/%: $(B)/tests/unit/%.o $(B)/liblauncher.a $(B)/libproto.a $(B)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ -lcmocka -ljansson -levent -lcrypto

$(B)/tests/test_launcher: $(B)/tests/integration/test_launcher.o $(B)/libproto.a $(B)/libcommon.a | $(B)/bin/stead-launcher
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ -lcmocka -ljansson -levent -lcrypto
OBJECTS += $(B)/tests/integration/test_launcher.o
