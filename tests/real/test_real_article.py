"""The article's cluster on real systems, its file unmodified, from nothing to built. In this order."""


def test_1_before_the_first_run_no_client_gets_in(lab):
    lab.desk.provision("drift", "article", code=2)
    assert {port: lab.reaches(port) for port in (21, 8080, 10000)} == {21: "filtered", 8080: "filtered", 10000: "filtered"}


def test_2_one_command_builds_it_and_files_go_through_the_vip(built):
    assert built.desk.json("drift", "article", code=0)["differences"] == []
    built.client("curl", "-sS", "-T", "/etc/hostname", built.ftp_url("hostname"))
    assert built.client("curl", "-sS", built.ftp_url("hostname")).stdout == open("/etc/hostname").read()
