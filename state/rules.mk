$(eval $(call library,state))
