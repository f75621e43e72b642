# TOUR=only leaves after the tour; PORT=N puts nginx on that port.
DEMO = node demo/main.mjs $(if $(filter only,$(TOUR)),--tour-only) $(if $(PORT),--port $(PORT))

#: make demo        install what is missing, build, start all of Stead and show it; TOUR=only leaves after the tour, PORT=N
demo:
	@exec demo/as_user.sh demo $(MAKE) --no-print-directory demo-here TOUR=$(TOUR) PORT=$(PORT)

demo-here:
	@demo/build.sh
	@exec $(DEMO)

#: make pictures    renew the pictures in docs/pictures from a tour
pictures:
	@demo/as_user.sh demo $(MAKE) --no-print-directory pictures-here
	@for picture in docs/pictures/*.png; do \
		cp "$$(demo/as_user.sh --where)/build/pictures/$${picture##*/}" docs/pictures/ || exit 1; done

pictures-here:
	@demo/build.sh
	@node demo/main.mjs --tour-only --pictures build/pictures

.PHONY: demo demo-here pictures pictures-here
