"""The command line from outside: exit codes, documents, start-up."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cli.cliworld import ARTICLE, clusters, say

from provision.cli.desk import worst

HEAVY = ("pypsrp", "winrm", "fabric", "paramiko", "requests", "cryptography")


def loaded_by(*words, cwd=None):
    """The modules that a run of `provision WORDS` has loaded at its end."""
    code = (
        "import sys\nfrom provision.cli.main import main\n"
        f"sys.argv = ['provision', *{words!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('LOADED', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, timeout=60, check=False
    )
    return {one.split(".")[0] for one in done.stdout.rpartition("LOADED ")[2].split()}


@pytest.mark.parametrize(
    "words", [["--help"], ["plan", "--help"], ["lab", "--help"], ["--version"], ["plan", "--bogus"]]
)
def test_help_and_usage_errors_load_nothing_of_the_wire(words):
    assert not loaded_by(*words) & {*HEAVY}


def test_help_loads_no_rich_and_no_pydantic_either():
    assert not loaded_by("--help") & {"rich", "pydantic", "ruamel", "platformdirs"}


def test_validate_loads_nothing_of_the_wire(tmp_path):
    clusters(tmp_path, article=ARTICLE)
    assert not loaded_by("validate", cwd=tmp_path) & {*HEAVY}


@pytest.mark.parametrize("words", [[], ["lab"]])
def test_help_says_whole_sentences_on_80_columns(words):
    environ = {**os.environ, "COLUMNS": "80"}
    command = [sys.executable, "-m", "provision", *words, "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=60, check=False).stdout
    assert "Commands:" in shown
    assert [row for row in shown.splitlines() if row.endswith("...") and "Usage" not in row] == []


def test_python_m_provision_is_the_same_command():
    done = subprocess.run(
        [sys.executable, "-m", "provision", "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "provision 0.1.0\n")


@pytest.mark.parametrize(
    "words", [["nonsense"], ["plan", "--bogus"], ["drift", "--parallel", "0"], ["explain", "a", "b"], []]
)
def test_a_usage_error_is_64_and_never_taken_for_drift(words):
    said = say(*words)
    assert said.code == 64
    assert "P901" in said.err
    assert "--help" in said.err


def test_a_usage_error_with_json_is_a_document_too():
    said = say("drift", "--bogus", "--json")
    document = json.loads(said.out)
    assert (document["exit_code"], document["command"], document["error"]["code"]) == (64, "drift", "P901")


def test_a_valid_file_is_0_and_says_that_nothing_was_contacted(tmp_path):
    said = say("validate", folder=clusters(tmp_path, article=ARTICLE))
    assert said.code == 0
    words = " ".join(said.out.split())
    assert words.endswith("valid. Cluster article, 2 servers, 1 balancer. Nothing was contacted.")


def test_an_invalid_file_is_4_with_the_line_and_a_caret(tmp_path):
    said = say("validate", "x", folder=clusters(tmp_path, x=ARTICLE.replace("10000-10020", "20-10020")))
    assert said.code == 4
    assert "20-10020\n" in said.err
    assert "^^^" in said.err


def test_a_file_that_is_not_there_is_4(tmp_path):
    assert say("plan", "nowhere", folder=clusters(tmp_path, a=ARTICLE)).code == 4


def test_validate_checks_every_cluster_when_none_is_named(tmp_path):
    said = say("validate", "--json", folder=clusters(tmp_path, good=ARTICLE, bad="cluster: x\n"))
    documents = {one["file"].rpartition("/")[2]: one["valid"] for one in json.loads(said.out)["clusters"]}
    assert (said.code, documents) == (4, {"good.yml": True, "bad.yml": False})


def test_of_several_clusters_one_must_be_named_where_one_is_wanted(tmp_path):
    said = say("plan", folder=clusters(tmp_path, a=ARTICLE, b=ARTICLE))
    assert said.code == 64
    assert "in clusters/ there are: a, b" in said.err


def test_a_missing_secret_is_4_and_names_its_place(tmp_path):
    said = say("plan", "a", "--json", folder=clusters(tmp_path, a=ARTICLE))
    assert said.code == 4
    assert json.loads(said.out)["error"]["code"] == "P121"


def test_the_schema_is_a_json_document():
    assert json.loads(say("schema").out)["title"] == "provision cluster file"


def test_completion_of_an_error_document_has_every_head(tmp_path):
    document = json.loads(say("drift", "nowhere", "--json", folder=tmp_path).out)
    assert (document["format"], document["command"], document["exit_code"]) == (1, "drift", 4)


@pytest.mark.parametrize(
    ("codes", "one"),
    [
        ([0, 2, 3], 2),
        ([0, 3], 3),
        ([2, 1], 1),
        ([1, 5], 5),
        ([5, 4], 4),
        ([4, 6], 6),
        ([6, 7], 7),
        ([0, 0], 0),
        ([], 0),
    ],
)
def test_with_several_clusters_the_gravest_code_wins(codes, one):
    assert worst(codes) == one


def test_history_without_generations_says_how_to_read_the_balancers_copies(tmp_path):
    said = say("history", folder=clusters(tmp_path, a=ARTICLE), environ={"PROVISION_HOME": str(tmp_path / "home")})
    assert said.code == 0
    assert f"ssh -i {Path.home()}/.ssh/id_ed25519 root@192.168.1.123 ls -l /var/lib/provision/article/generations\n" in said.out


def test_the_debug_log_is_private_and_tells_what_happened(tmp_path):
    log = tmp_path / "debug.log"
    log.touch(mode=0o644)
    say("plan", "a", "--debug-log", str(log), folder=clusters(tmp_path, a=ARTICLE))
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "P121" in log.read_text()


def test_a_debug_log_that_cannot_be_written_is_64(tmp_path):
    said = say("validate", "--debug-log", str(tmp_path / "no" / "where"), folder=clusters(tmp_path, a=ARTICLE))
    assert said.code == 64
    assert "P904" in said.err


def test_a_defect_is_one_line_and_a_private_file_without_values(tmp_path, monkeypatch):
    def broken(desk, clusters):
        secret_local = "canary-in-a-local"
        raise RuntimeError(f"boom {len(secret_local)}")

    monkeypatch.setattr("provision.cli.offline.validate", broken)
    said = say("validate", environ={"PROVISION_HOME": str(tmp_path / "home")})
    [crash] = (tmp_path / "home").iterdir()
    assert said.code == 1
    assert "RuntimeError in test_command_line.py" in said.err
    assert "nothing was changed" in said.err
    assert stat.S_IMODE(crash.stat().st_mode) == 0o600
    assert "boom 17" in crash.read_text()
    assert "canary-in-a-local\n" not in crash.read_text()


def test_a_reader_that_closes_early_ends_it_quietly(tmp_path):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "provision", "explain"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
