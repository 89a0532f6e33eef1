"""What some cases reach on loopback: a git repository, and a private package index."""

import base64
import contextlib
import functools
import http.server
import os
import ssl
import subprocess
import threading
import urllib.parse

AUTHORITY = """[req]
distinguished_name = name
x509_extensions = authority
prompt = no
[name]
CN = An authority that nobody knows
[authority]
basicConstraints = critical, CA:TRUE
# Python 3.13 verifies strictly (RFC 5280): an authority must say what its key is for.
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
subjectAltName = DNS:localhost
authorityKeyIdentifier = keyid
"""


@contextlib.contextmanager
def serving(handler, context=None):
    """Serves on a free port of loopback until the block ends; the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@contextlib.contextmanager
def greeting(folder):
    """A repository of one small package, served as git's dumb protocol wants it; its URL."""
    source, bare = folder / "source", folder / "greeting.git"
    source.mkdir(parents=True)
    (source / "pyproject.toml").write_text('[project]\nname = "greeting"\nversion = "1.0"\n'
                                           '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n')
    (source / "greeting.py").write_text('WORDS = "hello"\n')
    identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": os.devnull}
    identity |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org"}
    git = lambda *words: subprocess.run(["git", *words], env={**os.environ, **identity}, check=True, capture_output=True)
    git("init", str(source))
    git("-C", str(source), "add", ".")
    git("-C", str(source), "commit", "-m", "a greeting")
    git("-C", str(source), "tag", "v1")
    git("clone", "--bare", str(source), str(bare))
    git("-C", str(bare), "update-server-info")
    with serving(functools.partial(Quiet, directory=str(folder))) as port:
        yield f"http://localhost:{port}/greeting.git"


class Index:
    """An index of one wheel, by TLS, for one user. `served` are the paths that went to those with the password."""

    def __init__(self, folder, wheel, user, password):
        self.wheel, self.served, self.authority = wheel, [], folder / "authority.pem"
        self.expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        folder.mkdir()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificates(folder))
        self.running = serving(functools.partial(Answer, self), context)

    def __enter__(self):
        self.port = self.running.__enter__()
        return self

    def __exit__(self, *reason):
        return self.running.__exit__(*reason)


class Answer(http.server.BaseHTTPRequestHandler):
    def __init__(self, index, *more):
        self.index = index
        super().__init__(*more)

    def do_GET(self):
        path = urllib.parse.unquote(self.path)
        name = self.index.wheel.name
        if self.headers.get("Authorization") != self.index.expected:
            return self.answer(401, b"who are you?", "WWW-Authenticate", 'Basic realm="index"')
        self.index.served.append(path)
        if path == "/simple/torch/":
            link = f'<!DOCTYPE html><html><body><a href="/files/{urllib.parse.quote(name)}">{name}</a></body></html>'
            return self.answer(200, link.encode(), "Content-Type", "text/html")
        if path == "/files/" + name:
            return self.answer(200, self.index.wheel.read_bytes(), "Content-Type", "application/octet-stream")
        return self.answer(404, b"not here", "Content-Type", "text/plain")

    do_HEAD = do_GET

    def answer(self, status, body, header, value):
        self.send_response(status)
        self.send_header(header, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *words):
        pass


def certificates(folder):
    """Makes an authority and a certificate of it for localhost; the certificate's file and its key's."""
    (folder / "openssl.cnf").write_text(AUTHORITY)
    openssl = lambda *words: subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    key = ["-newkey", "rsa:2048", "-nodes", "-config", "openssl.cnf"]
    openssl("req", "-x509", *key, "-keyout", "authority.key", "-out", "authority.pem", "-days", "2")
    openssl("req", "-new", *key, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    by = ["-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-days", "2"]
    more = ["-extfile", "openssl.cnf", "-extensions", "server"]
    openssl("x509", "-req", "-in", "server.csr", *by, *more, "-out", "server.pem")
    return folder / "server.pem", folder / "server.key"
