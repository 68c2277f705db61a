#!/usr/bin/env perl
# ticker: from the first prompt on, five native Claude lines a second; small enough to run a thousand times.
use strict;
use warnings;
use Time::HiRes qw(clock_gettime sleep CLOCK_MONOTONIC);
$| = 1;
my $session = "9a91ffdc-c81a-4d0b-9b39-fd3cb83f032b";
while (<STDIN>) { last if /"type":"user"/ }
# Not all at the same moment.
sleep(rand(0.2));
while (1) {
  printf qq({"type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\@%016.0f\@ %s"}},"session_id":"%s","parent_tool_use_id":null}\n),
    clock_gettime(CLOCK_MONOTONIC) * 1e9, "words " x 20, $session;
  sleep(0.2);
}
