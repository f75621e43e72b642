# Stead. "make" builds, "make demo" shows it, "make test" proves it, "make help" lists the rest.
#
# One dependency graph: every directory's rules.mk says what it makes by calling "library" and "program" below.
#
#   VARIANT=plain (default), asan (AddressSanitizer and UBSan), fuzz (clang with libFuzzer)

VARIANT ?= plain
B       := build/$(VARIANT)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Werror
CPPFLAGS += -I. -D_GNU_SOURCE -I/usr/include/postgresql
CFLAGS   ?= -O2 -g
CFLAGS   += -std=gnu2x -fno-omit-frame-pointer -fstack-protector-strong -fstack-clash-protection $(WARNINGS)
LDFLAGS  += -Wl,-z,relro,-z,now

ifeq ($(VARIANT),plain)
CPPFLAGS += -D_FORTIFY_SOURCE=2
CFLAGS   += -fPIE
LDFLAGS  += -pie
else ifeq ($(VARIANT),asan)
CFLAGS  += -O0 -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=address,undefined
else ifeq ($(VARIANT),fuzz)
CC      := clang
CFLAGS  += -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined \
           -Wno-gnu-variable-sized-type-not-at-end -Wno-unknown-warning-option
LDFLAGS += -fsanitize=fuzzer,address,undefined
endif

all: programs web

# library NAME: everything in NAME/ but its main files becomes libNAME.a.
define library
$(1)_OBJECTS := $$(patsubst %.c,$(B)/%.o,$$(filter-out $(1)/%main.c,$$(wildcard $(1)/*.c $(1)/*/*.c)))
$(B)/lib$(1).a: $$($(1)_OBJECTS)
	@mkdir -p $$(@D); rm -f $$@; ar rcs $$@ $$^
OBJECTS += $$($(1)_OBJECTS)
endef

# program NAME,MAIN SOURCE,LIBRARIES in link order,-l flags
define program
$(B)/bin/$(1): $(B)/$(2:.c=.o) $(patsubst %,$(B)/lib%.a,$(3))
	@mkdir -p $$(@D); echo "link $$@"
	@$$(CC) $$(LDFLAGS) -o $$@ $$^ $(4)
OBJECTS  += $(B)/$(2:.c=.o)
PROGRAMS += $(B)/bin/$(1)
endef

include $(sort $(wildcard */rules.mk))

programs: $(PROGRAMS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "cc $@"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

clean:
	rm -rf build

help:
	@sed -n 's/^#: //p' $(MAKEFILE_LIST)

#: make             build everything into build/; once before it: demo/setup.sh demo, as make demo does by itself
#: make clean       remove build/
.PHONY: all programs web clean help
.SECONDARY:

-include $(OBJECTS:.o=.d)
