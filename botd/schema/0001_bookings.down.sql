-- Takes the bookings away with their logs and pictures; what has been booked at the sites stays booked there.
DROP TABLE jobs.pictures;
DROP TABLE jobs.lines;
DROP TABLE jobs.bookings;
DROP SEQUENCE jobs.booking_ids;
DROP FUNCTION jobs.tell_change();
