"""Secret references are resolved all at once, or all failures are told at once; no value is ever shown."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from provision.definition.secrets import resolve_secrets
from provision.errors import SecretError
from provision.model.secret import Secret, SecretRef

CANARY = "s3cr3t-canary"


def ref(scheme: str, target: str = "", key: str = "winrm.password") -> SecretRef:
    return SecretRef(scheme, target, key, 7, 3)


def resolve(*refs: SecretRef, environ: dict[str, str] | None = None, ask=None, base: Path = Path(), deadline: float = 20):
    environ = {"PATH": os.environ["PATH"], **(environ or {})}
    return resolve_secrets(refs, environ=environ, ask=ask, base=base, deadline=deadline)


def value_of(one: SecretRef, **surroundings) -> str:
    return resolve(one, **surroundings)[one].reveal()


def failure(*refs: SecretRef, **surroundings) -> SecretError:
    with pytest.raises(SecretError) as caught:
        resolve(*refs, **surroundings)
    assert CANARY not in f"{caught.value} {caught.value.args}"
    return caught.value


def private(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("value", ["x", "it's", 'a"b', "50%", "a:b@c", "pässwörd", " blanks ", "password"])
def test_a_variable_gives_its_value_as_it_is(value: str) -> None:
    assert value_of(ref("env", "SECRET"), environ={"SECRET": value}) == value


def test_an_unset_and_an_empty_variable_are_refused() -> None:
    assert failure(ref("env", "SECRET")).code == "P121"
    assert failure(ref("env", "SECRET"), environ={"SECRET": ""}).code == "P121"


@pytest.mark.parametrize("value", [CANARY + "\n", "a\n" + CANARY, "a\r" + CANARY, "a\0" + CANARY])
def test_a_value_that_is_not_one_line_is_refused_and_not_shown(value: str) -> None:
    assert failure(ref("env", "SECRET"), environ={"SECRET": value}).code == "P127"


@pytest.mark.parametrize(("content", "value"), [(b"x", "x"), (b"x\n", "x"), (b"x\r\n", "x"), (b" x ", " x ")])
def test_a_file_gives_its_line_relative_to_the_cluster_file(content: bytes, value: str, tmp_path: Path) -> None:
    private(tmp_path / "secret", content)
    assert value_of(ref("file", "secret"), base=tmp_path) == value


@pytest.mark.parametrize("content", [b"x\n\n", b"x\ny\n", b"x\0", b"\xff\xfe", b"x" * 70_000])
def test_a_file_that_is_not_one_line_of_text_is_refused(content: bytes, tmp_path: Path) -> None:
    private(tmp_path / "secret", content)
    assert failure(ref("file", "secret"), base=tmp_path).code == "P127"


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o602])
def test_a_file_that_others_can_use_is_refused_with_the_command_that_mends_it(mode: int, tmp_path: Path) -> None:
    private(tmp_path / "secret", CANARY.encode(), mode)
    error = failure(ref("file", "secret"), base=tmp_path)
    assert (error.code, "chmod 600" in error.why) == ("P123", True)


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_ones_own_is_taken(mode: int, tmp_path: Path) -> None:
    private(tmp_path / "secret", b"x", mode)
    assert value_of(ref("file", "secret"), base=tmp_path) == "x"


def test_a_missing_file_a_folder_and_a_pipe_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(mode=0o700)
    for name in ("missing", "folder", "pipe"):
        assert failure(ref("file", name), base=tmp_path).code == "P122"


def test_a_command_gives_what_it_prints_without_a_shell(tmp_path: Path) -> None:
    assert value_of(ref("cmd", "printf '%s\\n' 'a $HOME;b'"), base=tmp_path) == "a $HOME;b"


def test_a_command_runs_once_in_the_folder_of_the_file_and_sees_the_environment(tmp_path: Path) -> None:
    command = "sh -c 'echo run >> runs; echo $WORD'"
    first, second = ref("cmd", command, "stats.password"), ref("cmd", command, "probe.password")
    found = resolve(first, second, environ={"WORD": "x"}, base=tmp_path)
    assert (found[first], found[second]) == (Secret("x"), Secret("x"))
    assert (tmp_path / "runs").read_text() == "run\n"


@pytest.mark.parametrize("command", ["false", "sh -c 'exit 3'", "no-such-command-here", f"sh -c 'echo {CANARY}; exit 1'"])
def test_a_command_that_fails_is_refused_without_its_output(command: str) -> None:
    assert failure(ref("cmd", command)).code == "P125"


def test_of_a_failed_commands_errors_one_line_is_shown() -> None:
    error = failure(ref("cmd", r"""sh -c 'printf "one\ntwo\033[2J\n" >&2; exit 2'"""))
    assert "two" in error.why
    assert "one" not in error.why
    assert "\x1b" not in error.why


@pytest.mark.timeout(15)
def test_a_command_that_hangs_is_ended_with_its_children() -> None:
    started = time.monotonic()
    assert "longer than 0.3 s" in failure(ref("cmd", "sh -c 'sleep 60 & sleep 60'"), deadline=0.3).why
    assert time.monotonic() - started < 5


def test_a_command_that_prints_nothing_is_refused_and_its_words_are_not_shown() -> None:
    error = failure(ref("cmd", f"true {CANARY}"))
    assert error.code == "P121"


def test_a_question_is_asked_for_each_key_and_only_at_a_terminal() -> None:
    asked: list[str] = []
    one, two = ref("ask", key="stats.password"), ref("ask", key="winrm.password")
    found = resolve(one, two, ask=lambda prompt: asked.append(prompt) or prompt[0])
    assert asked == ["stats.password: ", "winrm.password: "]
    assert (found[one], found[two]) == (Secret("s"), Secret("w"))
    assert failure(one).code == "P126"


def test_nobody_is_asked_while_something_else_is_missing() -> None:
    def never(prompt: str) -> str:
        raise AssertionError(prompt)

    assert failure(ref("ask"), ref("env", "MISSING", "stats.password"), ask=never).code == "P121"


def test_an_empty_answer_is_refused() -> None:
    assert failure(ref("ask"), ask=lambda _prompt: "").code == "P121"


def test_every_missing_secret_is_told_at_once(tmp_path: Path) -> None:
    error = failure(ref("env", "ONE", "a.password"), ref("file", "two", "b.password"), ref("ask", "", "c.password"), base=tmp_path)
    assert error.what == "3 secrets cannot be resolved"
    assert all(f"{key}.password (line 7)" in error.why for key in "abc")
    assert error.exit_code == 4


def test_the_keyring_is_asked_by_service_and_user(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = SimpleNamespace(get_password=lambda service, user: f"{service}+{user}" if user != "none" else None)
    monkeypatch.setitem(sys.modules, "keyring", fake)
    assert value_of(ref("keyring", "ftp/admin@x/y")) == "ftp+admin@x/y"
    assert "nothing for ftp/none" in failure(ref("keyring", "ftp/none")).why


def test_a_keyring_that_is_not_installed_or_breaks_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert 'pip install "provision[keyring]"' in failure(ref("keyring", "a/b")).why

    def broken(_service: str, _user: str) -> str:
        raise RuntimeError(CANARY)

    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=broken))
    assert failure(ref("keyring", "a/b")).why.endswith("the keyring does not answer: RuntimeError")


def test_no_secret_shows_in_a_repr() -> None:
    found = resolve(ref("env", "SECRET"), environ={"SECRET": CANARY})
    assert CANARY not in f"{found!r} {found}"
