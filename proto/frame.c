#include "proto/frame.h"

#include <arpa/inet.h>
#include <string.h>

enum frame_state frame_parse(const uint8_t *p, size_t n, size_t cap, struct frame *ret)
{
	uint32_t length;

	*ret = (struct frame){ 0 };
	if (n < FRAME_HEADER)
		return FRAME_INCOMPLETE;
	memcpy(&length, p, sizeof(length));
	length = ntohl(length);
	if (length == 0 || length > cap)
		return FRAME_FATAL;
	ret->length = length;
	if (n - FRAME_HEADER < length)
		return FRAME_INCOMPLETE;
	ret->body = p + FRAME_HEADER;
	return FRAME_COMPLETE;
}

void frame_header(uint8_t out[FRAME_HEADER], uint32_t length)
{
	uint32_t big = htonl(length);

	memcpy(out, &big, sizeof(big));
}
