"""An Otter Wiki, a wiki as people run it, in a folder of its own.

    wiki.py FOLDER

Prints `port N`. Whoever registers may write; pages are kept in a Git repository in FOLDER.
"""

import contextlib
import os
import pathlib
import sys

import git

folder = pathlib.Path(sys.argv[1])
(folder / "pages").mkdir(parents=True, exist_ok=True)
git.Repo.init(folder / "pages")
(folder / "settings.cfg").write_text(
    f"""
REPOSITORY = {str(folder / "pages")!r}
SQLALCHEMY_DATABASE_URI = {"sqlite:///" + str(folder / "accounts.sqlite")!r}
SECRET_KEY = "canary-key-of-the-wiki"
AUTO_APPROVAL = True
EMAIL_NEEDS_CONFIRMATION = False
NOTIFY_ADMINS_ON_REGISTER = False
WRITE_ACCESS = "REGISTERED"
ATTACHMENT_ACCESS = "REGISTERED"
"""
)
os.environ["OTTERWIKI_SETTINGS"] = str(folder / "settings.cfg")

# It greets on the output, where the port belongs.
with contextlib.redirect_stdout(sys.stderr):
    from otterwiki.server import app
    import otterwiki.views  # noqa: F401
    from werkzeug.serving import make_server

server = make_server("127.0.0.1", 0, app, threaded=True)
print("port", server.server_port, flush=True)
server.serve_forever()
