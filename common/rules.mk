$(eval $(call library,common))
