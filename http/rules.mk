$(eval $(call library,http))
