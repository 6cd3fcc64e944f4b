"""Apache's mod_auth_openidc, set up as the ANS sets its own up. Needs both unpacked below BIFENTE_APACHE.

In a folder outside the repository: ``apt-get download apache2-bin libapache2-mod-auth-openidc libapr1 libaprutil1
libcjose0 libhiredis0.14 libjansson4 liblua5.3-0 libcurl4``, then ``dpkg -x`` of each into one folder.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bifente.simulator.pki.keystore import KeySource

pytest.importorskip("requests_oauth2client")

from psc_bench import SECRET, USER, Served, served
from requests_oauth2client import requests
from test_psc_relying_parties import logged_in

pytestmark = pytest.mark.timeout(120)
ENVIRONMENT = "BIFENTE_APACHE"
MODULES = ("mpm_event", "authn_core", "authz_core", "authz_user", "headers", "auth_openidc")
CONFIGURATION = """
ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog {folder}/error.log
User #65534
Group #65534
DocumentRoot {folder}/site
{modules}
OIDCProviderMetadataURL {discovery}
OIDCClientID tiers
OIDCClientSecret {secret}
OIDCRedirectURI http://localhost:{port}/retour
OIDCCryptoPassphrase for-this-test-alone
OIDCScope "openid scope_all"
OIDCPKCEMethod S256
OIDCAuthRequestParams acr_values=eidas1
OIDCRemoteUserClaim SubjectNameID
OIDCCABundlePath {folder}/ca.pem
<Location />
  AuthType openid-connect
  Require valid-user
  Header always set X-User "expr=%{{REMOTE_USER}}"
</Location>
"""


@contextmanager
def apache(psc: Served, port: int) -> Iterator[Path]:
    root = Path(os.environ[ENVIRONMENT])
    folder = Path(tempfile.mkdtemp(prefix="bifente-apache-"))
    folder.chmod(0o755)
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_text("<title>site</title>")
    shutil.copy(psc.ca, folder / "ca.pem")
    modules = "\n".join(f"LoadModule {name}_module {root}/usr/lib/apache2/modules/mod_{name}.so" for name in MODULES)
    text = CONFIGURATION.format(
        folder=folder, port=port, modules=modules, discovery=psc.service.core.addresses.discovery, secret=SECRET
    )
    (folder / "httpd.conf").write_text(text)
    environment = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": f"{root}/usr/lib/x86_64-linux-gnu"}
    command = [f"{root}/usr/sbin/apache2", "-f", str(folder / "httpd.conf"), "-DFOREGROUND"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    try:
        for _ in range(200):
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield folder
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def site(shared_keys: KeySource, tmp_path: Path) -> Iterator[tuple[Served, str]]:
    if ENVIRONMENT not in os.environ:
        pytest.skip(f"needs Apache and mod_auth_openidc unpacked: {ENVIRONMENT}=FOLDER")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base = f"http://localhost:{port}"
    client = {
        "id": "tiers",
        "secret": SECRET,
        "redirect-uris": [f"{base}/retour"],
        "post-logout-redirect-uris": [f"{base}/adieu"],
        "pkce": "required",
    }
    with served(shared_keys, tmp_path, clients=[client]) as psc, apache(psc, port):
        yield psc, base


def test_it_logs_in_and_out(site: tuple[Served, str]) -> None:
    psc, base = site
    browser = requests.Session()
    browser.trust_env = False
    asked = browser.get(f"{base}/index.html", allow_redirects=False)
    assert asked.status_code == 302
    back = logged_in(psc, asked.headers["location"])
    page = browser.get(back)
    assert (page.status_code, page.headers["X-User"]) == (200, USER)
    assert "site" in page.text
    assert len(psc.service.core.sessions) == 1
    left = browser.get(f"{base}/retour", params={"logout": f"{base}/adieu"}, allow_redirects=False)
    gone = requests.get(left.headers["location"], verify=str(psc.ca), allow_redirects=False)
    assert gone.headers["location"].startswith(f"{base}/adieu")
    assert len(psc.service.core.sessions) == 0
    assert psc.service.state()["findings"]["tiers"] == {}
