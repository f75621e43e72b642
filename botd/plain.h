/* Pictures that an older botd has kept as they are: they are sealed one by one, whatever interrupts that. */
#pragma once

/* A fiber, whose argument is the struct botd; ends once there are none left, or it is cancelled. */
void plain_run(void *botd);
