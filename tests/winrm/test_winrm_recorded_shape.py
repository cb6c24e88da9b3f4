"""The order and form of answers that recordings of a Windows Server 2016 show."""

from __future__ import annotations

import base64
import stat
import time
import xml.etree.ElementTree as ET

import pytest
from cryptography import x509
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from provision.lab.winrm.accounts import Account, publish_ntlm_accounts
from provision.lab.winrm.envelope import RSP, A, Fault, S, WSManFault, fault_response, parse_request
from provision.lab.winrm.fragments import Outbox, message_type_of, pipeline_id_of, split_fragments
from provision.lab.winrm.scripthost import PipelineResult
from provision.lab.winrm.tls import make_ca, make_tls


class Listening(WSMan):
    """Remembers the action of every request and the body of every answer."""

    def invoke(self, action, *rest, **more):
        answer = super().invoke(action, *rest, **more)
        self.heard = [*getattr(self, "heard", []), (action.rpartition("/")[2], answer.find(f"{{{S}}}Body"))]
        return answer


@pytest.fixture
def conversation(server, tls, user, password, host):
    host.pipeline = lambda commands: PipelineResult(("one", "two"), progress=("Preparing modules for first use.",))
    wsman = Listening(
        server.address,
        port=server.https_port,
        username=user,
        password=password,
        auth="basic",
        cert_validation=str(tls.ca),
        no_proxy=True,
    )
    with RunspacePool(wsman) as pool:
        PowerShell(pool).add_script("x").invoke()
    return wsman.heard


def streams(body):
    return [base64.b64decode(element.text) for element in body.iter(f"{{{RSP}}}Stream")]


def test_a_pool_opens_with_two_receives_and_a_script_takes_two_messages(conversation):
    assert [action for action, _ in conversation] == ["Create", "Receive", "Receive", "Command", "Receive", "Delete"]


def test_the_first_receive_has_capability_and_private_data_the_second_the_state(conversation):
    first, second = (streams(body) for action, body in conversation if action == "Receive" and len(streams(body)) < 3)
    assert [hex(message_type_of(data)) for data in first] == ["0x10002", "0x21009"]
    assert [hex(message_type_of(data)) for data in second] == ["0x21005"]


def test_each_message_of_a_pipeline_has_a_stream_of_its_own_and_the_last_is_done(conversation):
    body = conversation[4][1]
    assert [hex(message_type_of(data)) for data in streams(body)] == ["0x41010", "0x41004", "0x41004", "0x41006"]
    state = body.find(f".//{{{RSP}}}CommandState")
    assert state.get("State") == f"{RSP}/CommandState/Done"
    assert state.findtext(f"{{{RSP}}}ExitCode") == "0"


def test_a_fault_relates_to_its_request_and_escapes_its_words():
    answer = ET.fromstring(fault_response(Fault(5, "w:AccessDenied", "<no> & never"), "uuid:1", "WIN-1"))
    assert answer.findtext(f".//{{{A}}}RelatesTo") == "uuid:1"
    assert answer.findtext(f".//{{{S}}}Text") == "<no> & never"


@pytest.mark.parametrize(("written", "seconds"), [("PT20S", 20), ("PT1M0.5S", 60.5), ("P1DT1H", 90000), ("x", 60)])
def test_an_operation_timeout_is_read_as_a_duration(written, seconds):
    text = (
        f'<s:Envelope xmlns:s="{S}" xmlns:a="{A}" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Header>'
        f"<a:Action>{RSP}/Signal</a:Action><w:OperationTimeout>{written}</w:OperationTimeout></s:Header><s:Body/></s:Envelope>"
    )
    assert parse_request(text.encode()).operation_timeout == seconds


def test_an_envelope_above_the_limit_is_refused():
    with pytest.raises(WSManFault) as refused:
        parse_request(b" " * (500 * 1024 + 1))
    assert refused.value.fault.code == 2150858805


def fragment(number, kind=0x41004, flags=3):
    data = b"\0" * 4 + kind.to_bytes(4, "little") + b"\0" * 16 + bytes(range(16)) + b"x" * 10
    return number.to_bytes(8, "big") + b"\0" * 8 + bytes([flags]) + len(data).to_bytes(4, "big") + data


def test_a_row_of_fragments_is_split_where_each_ends():
    row = [fragment(1), fragment(2), fragment(3, flags=0)]
    assert list(split_fragments(b"".join(row))) == row
    assert [message_type_of(data) for data in row] == [0x41004, 0x41004, None]
    assert pipeline_id_of(row[0]).bytes_le == bytes(range(16))


@pytest.mark.parametrize("cut", [1, 30, 60])
def test_a_fragment_that_is_cut_off_is_refused(cut):
    with pytest.raises(ValueError, match="shorter"):
        list(split_fragments(fragment(1)[:-cut]))


def test_an_outbox_gives_what_fits_but_always_something():
    outbox = Outbox()
    outbox.put("c", b"".join(fragment(n) for n in range(3)))
    size = len(fragment(0))
    assert [len(outbox.take("c", size * 2)), len(outbox.take("c", 1)), len(outbox.take("c", 1))] == [2, 1, 0]


def test_certificates_name_the_address_and_keys_are_private(tmp_path):
    ca = make_ca(tmp_path)
    (tmp_path / "win1").mkdir()
    files = make_tls(tmp_path / "win1", "127.0.37.5", name="win1", ca=ca)
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["127.0.37.5", "win1"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in (files.key, ca.key)} == {0o600}
    assert make_ca(tmp_path) == ca


def test_the_file_of_accounts_is_private_and_holds_no_password(tmp_path, monkeypatch):
    monkeypatch.setenv("NTLM_USER_FILE", "")
    file = tmp_path / "accounts"
    publish_ntlm_accounts([Account("svc", "pass:word", domain="CORP")], file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "pass" not in file.read_text()
    assert [line.split(":")[0] for line in file.read_text().splitlines()] == ["svc", "CORP\\svc"]
    assert "pass" not in repr(Account("svc", "pass:word"))


def test_a_refused_start_leaves_nothing_open(start, server):
    started = time.monotonic()
    with pytest.raises(RuntimeError):
        server.start()
    assert time.monotonic() - started < 1
