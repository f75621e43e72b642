$(eval $(call library,recipe))
$(eval $(call program,stead-recipe,recipe/recipe_main.c,recipe common,-ljansson -levent -lcrypto))

#: make recipe-documents   renew docs/recipe.schema.json and the reference in docs/recipes.md
recipe-documents: $(B)/bin/stead-recipe
	$< schema > docs/recipe.schema.json
	sed -i '/^<!-- printed by stead-recipe reference -->$$/q' docs/recipes.md
	(echo; $<  reference) >> docs/recipes.md

.PHONY: recipe-documents
