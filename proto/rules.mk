$(eval $(call library,proto))
