"""Asks a real server one question with Python's own library, as the reference of `cargo xtask bench mailbox`.

    reference.py mail PORT USER PASSWORD AUTHORITY settle|newest|from WORD|subject WORD|text WORD|read PART
    reference.py calendars USER PASSWORD FROM UNTIL URL...

Prints how many seconds it took, from before the connection to after the answer is parsed. The program's own start does not count.
`settle` opens the mailbox for writing once, as any mail program has: Dovecot then knows where each mail lies. `read` reads the newest mail of the folder `Large`, and of it the headers, the structure and one part.
"""

import sys
import time


def mail(port, user, password, authority, question, word=""):
    import email
    import imaplib
    import ssl

    context = ssl.create_default_context(cafile=authority)
    started = time.perf_counter()
    client = imaplib.IMAP4_SSL("localhost", int(port), ssl_context=context)
    client.login(user, password)
    client.select("Large" if question == "read" else "INBOX", readonly=question != "settle")
    criteria = {"newest": ("ALL",), "read": ("ALL",), "settle": ("ALL",)}.get(question, (question.upper(), f'"{word}"'))
    uids = client.uid("SEARCH", *criteria)[1][0].split()
    if question == "read":
        got = client.uid("FETCH", uids[-1], f"(BODYSTRUCTURE BODY.PEEK[HEADER] BODY.PEEK[{word}])")[1]
        assert len(got[1][1]) > 10, got
    else:
        newest = b",".join(uids[-20:])
        got = client.uid("FETCH", newest, "(FLAGS BODY.PEEK[HEADER.FIELDS (FROM TO CC SUBJECT DATE MESSAGE-ID)])")[1]
        heads = [email.message_from_bytes(part[1]) for part in got if isinstance(part, tuple)]
        assert heads and all(head["Subject"] for head in heads), len(heads)
    client.logout()
    return time.perf_counter() - started


def calendars(user, password, begins, ends, *urls):
    import datetime

    import caldav

    begins, ends = (datetime.datetime.fromisoformat(day) for day in (begins, ends))
    started = time.perf_counter()
    found = 0
    with caldav.DAVClient(url=urls[0], username=user, password=password) as client:
        for url in urls:
            for event in client.calendar(url=url).search(start=begins, end=ends, event=True, expand=False):
                found += len(event.icalendar_instance.walk("VEVENT"))
    assert found, "nothing was found"
    return time.perf_counter() - started


print({"mail": mail, "calendars": calendars}[sys.argv[1]](*sys.argv[2:]))
