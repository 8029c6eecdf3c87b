"""What python-dateutil and libical make of rules of repetition: one line in, one line out.

In:  start (20260101T090000), how many, rule; separated by tabs.
Out: the times of dateutil, then those of libical, separated by a tab; `-` where a library refuses the rule. Times are looked for up to
the end of the third year after the start: neither library stops by itself at a rule that comes to nothing.
"""

import calendar
import ctypes
import datetime as clock
import itertools
import sys
from datetime import datetime, timezone

from dateutil.rrule import rrulestr

libical = ctypes.CDLL(sys.argv[1])
expand = libical.icalrecur_expand_recurrence
expand.argtypes = [ctypes.c_char_p, ctypes.c_int64, ctypes.c_int, ctypes.POINTER(ctypes.c_int64)]


def of_dateutil(start, count, rule):
    # dateutil looks up to this year.
    clock.MAXYEAR = start.year + 3
    try:
        times = rrulestr(rule, dtstart=start)
        return ",".join(time.strftime("%Y%m%dT%H%M%S") for time in itertools.islice(times, count))
    except ValueError:
        return "-"


def of_libical(start, count, rule):
    found = (ctypes.c_int64 * count)()
    if not expand(rule.encode(), calendar.timegm(start.timetuple()), count, found):
        return "-"
    times = [time for time in found if time != 0]
    return ",".join(datetime.fromtimestamp(time, timezone.utc).strftime("%Y%m%dT%H%M%S") for time in times)


for line in sys.stdin:
    start, count, rule = line.rstrip("\n").split("\t")
    start, count = datetime.strptime(start, "%Y%m%dT%H%M%S"), int(count)
    print(of_dateutil(start, count, rule), of_libical(start, count, rule), sep="\t", flush=False)
