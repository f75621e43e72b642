# Tests that are C: tests/unit/test_NOUN.c mirrors NOUN.c, tests/integration/test_NOUN.c starts real programs beside it,
# tests/fuzz/fuzz_NOUN.c is one libFuzzer target. Each is a program of its own.

TEST_LIBRARIES := $(patsubst %,$(B)/lib%.a,authd streamd sessiond botd cli http recipe state db proto common)
TEST_LINK      := -lcmocka -lwebsockets -lpq -ljansson -largon2 -lzxcvbn -levent -lcurl -lpsl -lssl -lcrypto -lz -lpthread

UNIT        := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
INTEGRATION := $(patsubst tests/integration/%.c,$(B)/tests/%,$(wildcard tests/integration/test_*.c))
FUZZ        := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
OBJECTS     += $(patsubst %.c,$(B)/%.o,$(wildcard tests/unit/*.c tests/integration/*.c tests/fuzz/*.c))

# They are many, and link three times as fast with gold, which comes with binutils and warns of what clang's sanitizers export.
TEST_LD := $(if $(filter fuzz,$(VARIANT)),,-fuse-ld=gold)
link_test = @mkdir -p $(@D); echo "link $@"; \
	$(CC) $(LDFLAGS) $(TEST_LD) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(TEST_LINK)

$(B)/tests/%: $(B)/tests/unit/%.o $(TEST_LIBRARIES)
	$(link_test)
$(B)/tests/%: $(B)/tests/integration/%.o $(TEST_LIBRARIES)
	$(link_test)
# What is fuzzed reads what strangers send; of the daemons streamd alone, whose pages and viewers are strangers, too.
$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(patsubst %,$(B)/lib%.a,streamd http recipe state launcher proto common)
	$(link_test)

#: make unit        run the unit tests alone (VARIANT=asan: sanitized)
unit: $(UNIT)
	@for t in $^; do echo "== $$t"; $$t || exit 1; done

BENCH   := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/bench_*.c))
OBJECTS += $(patsubst %.c,$(B)/%.o,$(wildcard tests/bench/*.c))

$(B)/bench/%: $(B)/tests/bench/%.o $(TEST_LIBRARIES) $(B)/liblauncher.a
	$(link_test)

build-bench: programs web $(BENCH)

# What the test runner asks to be built.
build-tests: programs $(UNIT) $(INTEGRATION)
build-unit: $(UNIT)
build-fuzz: $(FUZZ)

# Installs what is missing first; as root, everything but the system tests runs as another user, in a copy.
RUN_TESTS = @demo/as_user.sh test true && exec node tests/run.mjs

#: make test        everything; 25 minutes on two cores, an hour and more where page faults are slow; ONLY=NAME: what has NAME in its name
test:
	$(RUN_TESTS) $(if $(ONLY),--only "$(ONLY)")
#: make check       lint and unit tests, in under three minutes
check:
	$(RUN_TESTS) lint unit
#: make lint, integration, e2e, system, fuzz    one part of it
lint integration e2e system fuzz:
	$(RUN_TESTS) $@
#: make soak        2,000 bookings under SIGKILL (PART=fire, 1 to 1.5 hours on two cores), all ways of answering an act badly (PART=wire, 50 minutes), the end-to-end tests over and over (PART=e2e), an hour of each fuzzer (PART=fuzz)
soak:
	$(RUN_TESTS) --soak $(PART)
#: make test-bare   make demo TOUR=only in a bare Debian 12 (root)
test-bare:
	@demo/setup.sh bare && exec tests/bare/run.sh

#: make bench       speed and memory beside the least possible; PART=stream|rpc|sign-in|memory|database|vault|edge
bench:
	@demo/as_user.sh test $(MAKE) --no-print-directory build-bench && exec node tests/bench/run.mjs $(PART)
#: make mutants     builds with one thing wrong at a time; each must turn a test red
mutants:
	@demo/as_user.sh test $(MAKE) --no-print-directory build-tests web && exec demo/as_user.sh apart node tests/mutants/run.mjs

.PHONY: bench build-bench check mutants unit build-tests build-unit build-fuzz test lint integration e2e system fuzz soak test-bare
