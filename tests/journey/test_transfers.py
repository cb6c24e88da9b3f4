"""Files through the VIP, byte for byte, in both layouts; and every data connection at the server that answered PASV."""

import random
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from journey.conftest import house
from journey.labhouse import download, upload

SMALL = [random.Random(n).randbytes(4096) for n in range(500)]
LARGE = random.Random(1).randbytes(1 << 20) * 64


def one_client(lab, number):
    client = lab.client(200 + number)
    mine = SMALL[number::8]
    for index, data in enumerate(mine):
        upload(client, f"small-{number}-{index}", data)
    same = all(download(client, f"small-{number}-{index}") == data for index, data in enumerate(mine))
    for index in range(len(mine)):
        client.delete(f"small-{number}-{index}")
    client.quit()
    return same


@pytest.mark.slow
def test_eight_clients_at_once_move_500_small_files(either):
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda number: one_client(either, number), range(8)))


@pytest.mark.slow
def test_one_large_file_each_way(either):
    client = either.client(210)
    upload(client, "large", LARGE)
    assert download(client, "large") == LARGE
    client.delete("large")
    client.quit()


def pasv(client):
    answer = client.sendcmd("PASV")
    numbers = [int(one) for one in answer[answer.index("(") + 1 : answer.index(")")].split(",")]
    return ".".join(map(str, numbers[:4])), numbers[4] * 256 + numbers[5]


def test_the_answer_to_pasv_names_the_vip(either):
    client = either.client(211)
    assert pasv(client)[0] == either.vip
    client.quit()


def test_twenty_clients_of_one_address_meet_their_own_data_connections(either):
    clients = [either.client(212) for _ in range(20)]
    for number, client in enumerate(clients):
        upload(client, f"of-{number}", b"%d" % number)
    for number, client in reversed(list(enumerate(clients))):
        assert download(client, f"of-{number}") == b"%d" % number
        client.delete(f"of-{number}")
        client.quit()


def test_in_the_sliced_layout_one_address_is_spread_over_all_servers(either):
    if either.file.stem != "sliced":
        pytest.skip("the shared layout holds a client address to one server")
    clients = [either.client(213) for _ in range(20)]
    slices = {(pasv(client)[1] - 10000) // 20 for client in clients}
    for client in clients:
        client.close()
    assert slices == {0, 1, 2}


def clear_tables(lab):
    """What the article does by hand with socat: everything HAProxy remembers of clients is gone."""
    with socket.socket(socket.AF_UNIX) as admin:
        admin.connect(str(lab.folder.resolve() / "lb1" / "var/lib/haproxy/stats"))
        table = "FTPVIP" if lab.file.stem == "shared" else "ftp_control"
        admin.sendall(f"clear table {table}\n".encode())
        assert b"Unknown" not in admin.recv(4096)


def store_over(lab, client, name, data, last):
    """STOR over a data connection of its own making, from the address that ends in `last`."""
    address, port = pasv(client)
    with socket.create_connection((address, port), timeout=10, source_address=(f"{lab.net}.{last}", 0)) as channel:
        client.putcmd(f"STOR {name}")
        assert client.getresp().startswith("1")
        channel.sendall(data)
    return client.getresp()


@pytest.fixture(scope="module", params=["source", "none"])
def sliced(request, tmp_path_factory):
    net = {"source": "127.0.35", "none": "127.0.36"}[request.param]
    with house(tmp_path_factory.mktemp(request.param), f"by-{request.param}", net, affinity=request.param) as one:
        one.on_cluster("cluster", "--yes", code=0)
        yield one


def test_in_slices_data_finds_its_server_from_a_second_address_and_without_any_table(sliced):
    clients = [sliced.client(214 + number % 3) for number in range(6)]
    if "source" in sliced.file.stem:
        clear_tables(sliced)
    for number, client in enumerate(clients):
        assert store_over(sliced, client, f"second-{number}", b"%d" % number, last=230).startswith("226")
        assert download(client, f"second-{number}") == b"%d" % number
        client.delete(f"second-{number}")
        client.quit()
