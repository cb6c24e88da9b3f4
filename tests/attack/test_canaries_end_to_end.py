"""Planted secrets through the whole product on the lab: success, and every kind of failure. None may be found anywhere."""

import pytest
from attack.attackhouse import balancer, planted, root, up
from attack.canaries import Hunt, Watch

NET = "127.0.51"
SECRETS = {
    "winrm-password": "W1n'\"&<rm>% :@\\$pa ss`{}[bold]-0123456789",
    "stats-password": "St4ts%:@&<!>=;,$~0123456789-abcdefghijk",
    "ftp-password": "Ft9 'p\"&<pr0be>%:@\\$(id)-0123456789 abcd",
    "ssh-password": "Ss7h'\"&< pass>%:@\\$`x`-0123456789-abcdef",
    "sudo-password": "Su6d0 '\"&<pass>%:@\\$!!-0123456789-abcdef",
}
WORDS = (["plan"], ["drift"], ["status"], ["sessions"], ["verify"], ["history"], ["render", "--all"], ["validate"])


def with_passwords(text):
    text = text.replace("password: file:.lab/ftp-password", "password: file:.lab/probe-password")
    before = "user: labadmin, key_file: .lab/id_ed25519,"
    return text.replace(
        before, "user: labadmin, password: file:.lab/ssh-password, sudo_password: file:.lab/sudo-password,"
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("canary")
    secrets = SECRETS | {"probe-password": SECRETS["ftp-password"]}
    lab, places = planted(folder, "canary", NET, secrets, with_passwords)
    balancer(
        places, NET, password=SECRETS["ssh-password"], sudo="password", sudo_password=SECRETS["sudo-password"]
    )
    with up(lab):
        yield lab


@pytest.fixture(scope="module")
def hunt():
    return Hunt(SECRETS)


def run(lab, hunt, *words, code=None):
    """The command, as people and as machines run it, with all it says searched."""
    log = lab.home.parent / "debug.log"
    verb, *rest = words
    for manner in ((["-v"], ["--json"]) if verb not in ("cluster", "rollback") else (["-v"],)):
        done = lab.on_cluster(verb, *rest, *manner, "--debug-log", str(log), code=code)
        hunt.look(f"{words} {manner} stdout", done.stdout)
        hunt.look(f"{words} {manner} stderr", done.stderr)
        assert "Traceback" not in done.stderr + done.stdout
    hunt.look(f"{words} log", log.read_bytes())
    return done


@pytest.mark.slow
def test_1_no_secret_is_found_after_success(lab, hunt):
    with Watch(hunt) as watch:
        run(lab, hunt, "cluster", "--yes", code=0)
        for words in WORDS:
            run(lab, hunt, *words, code=0)
    assert any(b"provision" in data for _, data in watch.seen)
    hunt.look_below(lab.home)
    hunt.look_below(lab.folder)
    assert hunt.found == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ssh-password", "sudo-password", "winrm-password"])
def test_2_no_secret_is_found_when_it_is_the_wrong_one(lab, hunt, name):
    file = lab.folder / name
    file.write_text(SECRETS[name] + "x\n")
    try:
        with Watch(hunt):
            run(lab, hunt, "drift", code=3)
            run(lab, hunt, "cluster", "--yes", code=1)
    finally:
        file.write_text(SECRETS[name] + "\n")
    assert hunt.found == set()


@pytest.mark.slow
def test_3_no_secret_is_found_when_verification_fails_and_all_goes_back(lab, hunt):
    lab.break_it("firewall-rule-disabled", "--host", "win1")
    file = lab.folder / "probe-password"
    file.write_text(SECRETS["ftp-password"] + "x\n")
    try:
        with Watch(hunt):
            run(lab, hunt, "cluster", "--yes", code=6)
    finally:
        file.write_text(SECRETS["ftp-password"] + "\n")
    assert hunt.found == set()


@pytest.mark.slow
def test_4_no_secret_is_found_when_haproxy_refuses_its_configuration(lab, hunt):
    stray = root(lab) / "etc/haproxy/conf.d/stray.cfg"
    stray.write_text("listen x\n  no-such-keyword here\n")
    main = root(lab) / "etc/haproxy/haproxy.cfg"
    main.write_text(main.read_text() + "# edited by hand\n")
    try:
        with Watch(hunt):
            run(lab, hunt, "cluster", "--yes", code=6)
    finally:
        stray.unlink()
    run(lab, hunt, "cluster", "--yes", code=0)
    assert hunt.found == set()


@pytest.mark.slow
def test_5_no_secret_is_left_after_the_way_back(lab, hunt):
    with Watch(hunt):
        run(lab, hunt, "rollback", "--to", "0", "--yes", code=0)
    hunt.look_below(lab.home)
    hunt.look_below(lab.folder)
    assert hunt.found == set()
