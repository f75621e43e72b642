web: build/web/index.html

build/web/index.html: $(shell find web -name '*.html' -o -name '*.js' -o -name '*.css' -o -name '*.svg' -o -name '*.mjs')
	node web/vendor.mjs build/web
	@touch $@
