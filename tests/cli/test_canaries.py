"""Canary secrets: whatever a host says, no secret leaves in any output, file or encoding. Markup and escapes neither."""

import base64
import json

import pytest
from cli.cliworld import ARTICLE, clusters, say

from provision.cli import work
from provision.errors import ReadFailed
from provision.model.secret import spellings

CANARY = 'Can4ry"<&>\\+pa ss'
WIDE = base64.b64encode(CANARY.encode("utf-16-le")).decode()
ENVIRON = {"WINRM_PASSWORD": CANARY, "HAPROXY_STATS_PASSWORD": f"{CANARY}-stats"}


class Echo:
    """A host that says the password back, in every way that a stack of libraries could."""

    def __init__(self, host):
        self.host = host

    def run(self, *_):
        said = " ".join([*spellings(CANARY), WIDE, "\x1b[31m", "[bold]"])
        raise self.error(said)

    def error(self, said):
        return ReadFailed("P511", f"failed: {said}", host=self.host, why=said, next=f"try {CANARY}")

    def close(self):
        pass


class Broken(Echo):
    def error(self, said):
        return RuntimeError(said)


def opener(kind):
    class Stub:
        def __init__(self, *_):
            pass

        def shell(self, balancer):
            return kind(balancer.name)

        def powershell(self, server):
            return kind(server.name)

    return Stub


@pytest.mark.parametrize("kind", [Echo, Broken])
@pytest.mark.parametrize(
    "words", [["plan"], ["drift"], ["status"], ["cluster", "--yes"], ["drift", "--json"], ["plan", "-v"]]
)
def test_no_secret_leaves(tmp_path, monkeypatch, kind, words):
    monkeypatch.setattr(work, "WireOpener", opener(kind))
    folder, log = clusters(tmp_path, article=ARTICLE), tmp_path / "debug.log"
    environ = {**ENVIRON, "PROVISION_HOME": str(tmp_path / "home")}
    said = say(*words, "--debug-log", str(log), folder=folder, environ=environ)
    kept = "".join(one.read_text() for one in (tmp_path / "home").rglob("*") if one.is_file())
    everything = said.out + said.err + log.read_text() + kept
    assert [form for form in spellings(CANARY) if form in everything] == []
    assert "***" in everything
    assert "\x1b" not in everything


def test_two_hosts_that_fail_are_both_named_and_the_code_is_3(tmp_path, monkeypatch):
    monkeypatch.setattr(work, "WireOpener", opener(Echo))
    said = say("drift", "--json", folder=clusters(tmp_path, article=ARTICLE), environ=ENVIRON)
    assert said.code == 3
    assert set(json.loads(said.out)["unread"]) == {"lb1", "WinFTPServer2016FTP1", "WinFTPServer2016FTP2"}


def test_cluster_with_unread_hosts_is_1_and_nothing_was_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(work, "WireOpener", opener(Echo))
    said = say("cluster", "--yes", folder=clusters(tmp_path, article=ARTICLE), environ=ENVIRON)
    assert (said.code, "P304" in said.err) == (1, True)
    assert "Apply this?" not in said.err


def test_several_clusters_are_all_compared_and_the_gravest_code_wins(tmp_path, monkeypatch):
    monkeypatch.setattr(work, "WireOpener", opener(Echo))
    folder = clusters(tmp_path, good=ARTICLE, bad="cluster: x\n")
    said = say("drift", "--json", folder=folder, environ=ENVIRON)
    assert said.code == 4
    assert [one["exit_code"] for one in json.loads(said.out)["clusters"]] == [4, 3]


def test_a_host_outside_the_file_is_64_before_anything_is_contacted(tmp_path, monkeypatch):
    class Never:
        def __init__(self, *_):
            raise AssertionError("contacted")

    monkeypatch.setattr(work, "WireOpener", Never)
    said = say("plan", "--limit", "win9", folder=clusters(tmp_path, article=ARTICLE), environ=ENVIRON)
    assert (said.code, "WinFTPServer2016FTP1" in said.err) == (64, True)


def test_the_lock_of_another_run_is_5(tmp_path, monkeypatch):
    from provision.engine.generations import Locked

    def locked(*_):
        raise Locked("P704", "cluster article is being changed by another run on this machine")

    monkeypatch.setattr("provision.cli.writing.apply_file", locked)
    monkeypatch.setattr(work, "WireOpener", opener(Echo))
    said = say("cluster", "--yes", "--json", folder=clusters(tmp_path, article=ARTICLE), environ=ENVIRON)
    assert (said.code, json.loads(said.out)["error"]["code"]) == (5, "P704")


def test_a_defect_while_writing_is_7_and_says_what_is_where(tmp_path, monkeypatch):
    def breaks(workplace, ask):
        from cli.test_writing import prepared

        from provision.engine.context import Event

        ask(prepared())
        workplace.context.say(Event("step", "win1", "3 changes"))
        raise RuntimeError("boom")

    monkeypatch.setattr("provision.cli.writing.apply_file", breaks)
    monkeypatch.setattr(work, "WireOpener", opener(Echo))
    environ = {**ENVIRON, "PROVISION_HOME": str(tmp_path / "home"), "COLUMNS": "400"}
    said = say("cluster", "--yes", folder=clusters(tmp_path, article=ARTICLE), environ=environ)
    assert said.code == 7
    assert "win1 was being changed. See what is where: provision plan" in said.err


def test_verify_false_is_loud_also_when_quiet(tmp_path, monkeypatch):
    monkeypatch.setattr(work, "WireOpener", opener(Echo))
    careless = ARTICLE.replace("winrm:\n", "winrm:\n  scheme: https\n  port: 5986\n  verify: false\n")
    folder = clusters(tmp_path, article=careless)
    assert "are NOT checked" in say("drift", "-q", folder=folder, environ=ENVIRON).out
    assert len(json.loads(say("drift", "--json", folder=folder, environ=ENVIRON).out)["unverified"]) == 2
